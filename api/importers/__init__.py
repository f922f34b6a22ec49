"""Readers of other products' histories, and the writer that turns them into tickets."""
