"""Dashboards as pages: what was asked in the address, charts, tables, and files to take away."""
