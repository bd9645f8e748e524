"""What lessons share: their form, their hearts, their fits, their figures and their pages."""
