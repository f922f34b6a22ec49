"""Figures: facts of each ticket, taken from its timeline, their daily sums, and what they say."""
