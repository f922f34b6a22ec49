"""The administrators' door to targets, policies and what the engine has done."""

from escalation.admin import history, policies, revisions, targets

__all__ = ["history", "policies", "revisions", "targets"]
