"""Records out, as live signal over MQTT."""
