"""The tables of the escalation floor."""

from escalation.models.contract import HandoverContract, HandoverNeed
from escalation.models.facts import TicketFact
from escalation.models.feedback import HandoverFeedback
from escalation.models.handover import Escalation
from escalation.models.policy import Policy, PolicyRevision, PolicyStep, StopOn
from escalation.models.run import Firing, Heartbeat, Quarantine, Recount, Run, Silence
from escalation.models.sla import Clock, ClockKind, Target, TargetRevision
from escalation.models.vendor import Engagement, Vendor, VendorContact

__all__ = [
    "Clock",
    "ClockKind",
    "Engagement",
    "Escalation",
    "Firing",
    "HandoverContract",
    "HandoverFeedback",
    "HandoverNeed",
    "Heartbeat",
    "Policy",
    "PolicyRevision",
    "PolicyStep",
    "Quarantine",
    "Recount",
    "Run",
    "Silence",
    "StopOn",
    "Target",
    "TargetRevision",
    "TicketFact",
    "Vendor",
    "VendorContact",
]
