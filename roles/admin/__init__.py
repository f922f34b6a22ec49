"""The administrators' door to people, teams, calendars and rosters."""

from roles.admin import calendars, oncall, organisations, people, swaps
from roles.admin.audited import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline, acting

__all__ = [
    "AuditedAdmin",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "acting",
    "calendars",
    "oncall",
    "organisations",
    "people",
    "swaps",
]
