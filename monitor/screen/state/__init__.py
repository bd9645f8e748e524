"""What the screen knows of beds, and the clock it draws by."""
