"""The administrators' door to targets, policies, vendors and what the engine has done."""

from escalation.admin import contracts, history, policies, revisions, targets, tickets, vendors

__all__ = ["contracts", "history", "policies", "revisions", "targets", "tickets", "vendors"]
