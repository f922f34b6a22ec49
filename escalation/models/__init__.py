"""The tables of the escalation floor."""

from escalation.models.handover import Escalation
from escalation.models.policy import Policy, PolicyRevision, PolicyStep
from escalation.models.run import Firing, Heartbeat, Quarantine, Run
from escalation.models.sla import Clock, ClockKind, Target, TargetRevision

__all__ = [
    "Clock",
    "ClockKind",
    "Escalation",
    "Firing",
    "Heartbeat",
    "Policy",
    "PolicyRevision",
    "PolicyStep",
    "Quarantine",
    "Run",
    "Target",
    "TargetRevision",
]
