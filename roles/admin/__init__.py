"""The administrators' door to people, teams, calendars and rosters."""

from roles.admin import calendars, oncall, organisations, people
from roles.admin.audited import AuditedAdmin, ReadOnlyAdmin

__all__ = [
    "AuditedAdmin",
    "ReadOnlyAdmin",
    "calendars",
    "oncall",
    "organisations",
    "people",
]
