"""Policy as code."""
