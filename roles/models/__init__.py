"""The people of a service organisation, what they belong to and when they work."""

from roles.models.audit import AuditEntry
from roles.models.calendar import Calendar, CalendarRevision
from roles.models.oncall import (
    CalendarLink,
    Override,
    Rotation,
    RotationMember,
    Schedule,
    ScheduleRevision,
    Swap,
)
from roles.models.organisations import (
    Duty,
    DutyAssignment,
    Membership,
    Organisation,
    Team,
    Tier,
)
from roles.models.people import Person
from roles.models.retention import Retention
from roles.models.tokens import ApiToken

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Calendar",
    "CalendarLink",
    "CalendarRevision",
    "Duty",
    "DutyAssignment",
    "Membership",
    "Organisation",
    "Override",
    "Person",
    "Retention",
    "Rotation",
    "RotationMember",
    "Schedule",
    "ScheduleRevision",
    "Swap",
    "Team",
    "Tier",
]
