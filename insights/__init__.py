"""What it all shows."""
