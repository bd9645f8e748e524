"""The producer: records replayed as live signal over MQTT."""
