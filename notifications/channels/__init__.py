"""The roads to a person: one file per channel, and one registry."""
