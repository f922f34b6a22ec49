"""How a message reaches a person."""
