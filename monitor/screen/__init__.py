"""The terminal interface: draws snapshots of the ward at its own rate and sends intents, and knows nothing of MQTT."""
