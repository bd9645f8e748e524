"""The terminal interface: it draws snapshots of the ward at its own rate, sends intents, and knows nothing of MQTT."""
