"""What python -m trainer can do, one module a command."""
