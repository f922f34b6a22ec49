"""How likely a ticket is to end badly: learned from this site's own past, and tried on it."""
