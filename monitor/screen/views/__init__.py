"""What fills the screen: bedside, central station, review."""
