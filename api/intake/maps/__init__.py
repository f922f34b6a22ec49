"""Whole maps of addresses, each of one vendor's doors alone, for host names of their own."""
