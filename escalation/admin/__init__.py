"""The administrators' door to targets, policies and what the engine has done."""

from escalation.admin import contracts, history, policies, revisions, targets, tickets

__all__ = ["contracts", "history", "policies", "revisions", "targets", "tickets"]
