"""What goes over MQTT, and the broker it goes over."""
