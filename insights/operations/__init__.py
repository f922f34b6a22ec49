"""Whether the service itself is well: what runs, what waits, what was proved, what needs a hand."""
