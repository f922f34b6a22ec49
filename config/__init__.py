"""How Tierline is assembled."""
