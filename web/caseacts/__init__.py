"""The acts on what a ticket is besides: a major, a case, a vendor's work, a problem, a change."""
