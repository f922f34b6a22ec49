"""A policy tried on recorded tickets: the live decision, a clock of its own, and no one told."""
