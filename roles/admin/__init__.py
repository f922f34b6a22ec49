"""The administrators' door to people, teams, calendars and rosters."""

from roles.admin import audits, calendars, oncall, organisations, people, retentions, swaps
from roles.admin.audited import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline, acting

__all__ = [
    "AuditedAdmin",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "acting",
    "audits",
    "calendars",
    "oncall",
    "organisations",
    "people",
    "retentions",
    "swaps",
]
