"""What teams, services and sorts are called in figures, and by which word in addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from escalation.models import ClockKind, Escalation, Policy, Vendor
from insights.figures.figure import Words
from roles.models import Team
from tickets.models import Category, Kind, Service, Source

NONE: Final = "none"
"""In addresses: those that have none."""
CLOCKS: Final[Mapping[str, Words]] = {
    ClockKind.FIRST_RESPONSE: _("First response"),
    ClockKind.RESOLUTION: _("Resolution"),
    ClockKind.NEXT_UPDATE: _("Next update"),
    ClockKind.ACCEPTANCE: _("Acceptance"),
    ClockKind.TIME_IN_TEAM: _("Time in team"),
    ClockKind.VENDOR_RESPONSE: _("Vendor response"),
    ClockKind.VENDOR_FIX: _("Vendor fix"),
}
PLACES: Final[Mapping[str, Words]] = {
    "unrouted": _("Before any team had it"),
    "queue": _("In a team's queue"),
    "team": _("Being worked on"),
    "vendor": _("With the vendor"),
    "requester": _("Waiting for the requester"),
    "change": _("Waiting for a change"),
    "after": _("After it was solved"),
}
REASONS: Final[Mapping[str, Words]] = {
    Escalation.Reason.SKILL: _("Needs other skill"),
    Escalation.Reason.TIME: _("Time is running out"),
    Escalation.Reason.ACCESS: _("Needs access we lack"),
    Escalation.Reason.AUTHORITY: _("Needs a decision"),
    Escalation.Reason.IMPACT: _("Impact has grown"),
    Escalation.Reason.POLICY: _("Policy"),
    Escalation.HandBackReason.WRONG_TEAM: _("Not our field"),
    Escalation.HandBackReason.INCOMPLETE: _("Information is missing"),
    Escalation.HandBackReason.SOLVABLE: _("Can be solved at your tier"),
    Escalation.HandBackReason.DUPLICATE: _("Already known"),
}
OTHERS: Final[Mapping[str, Words]] = {
    "moved": _("Moved"),
    "escalated": _("Escalated"),
    "handed_back": _("Handed back"),
    "day": _("By day"),
    "night": _("By night"),
    "chased": _("Asked where the answer is"),
    "reopened": _("Reopened"),
    "bad_mark": _("Gave a bad mark"),
    "right": _("Right tier, nothing was missing"),
    "wrong_tier": _("Not for our tier"),
    "helped": _("They helped"),
    "late": _("They helped, but late"),
    "unhelpful": _("They did not help"),
    "service": _("Service"),
    "category": _("Category"),
    "code": _("Resolution code"),
    "words": _("Solution in words"),
    "began_at": _("When it began"),
    "detected_at": _("When it was detected"),
}
SORTS: Final[Mapping[str, Words]] = {
    **dict(Source.choices),
    **CLOCKS,
    **PLACES,
    **REASONS,
    **OTHERS,
}


@dataclass(frozen=True, slots=True)
class Named:
    """A team, service, category or vendor: what it is called, and its word in addresses."""

    name: str
    slug: str


class Names:
    """What the ids in facts are called; each table is read when it is first asked for."""

    @cached_property
    def teams(self) -> dict[int, Named]:
        """Every team by id."""
        return {pk: Named(name, slug) for pk, (name, slug, _) in self._team_rows.items()}

    @cached_property
    def tiers(self) -> dict[int, str]:
        """The name of each team's tier, by the team's id."""
        return {pk: tier for pk, (_, _, tier) in self._team_rows.items()}

    @cached_property
    def _team_rows(self) -> dict[int, tuple[str, str, str]]:
        rows = Team.objects.order_by("pk").values_list("pk", "name", "slug", "tier__name")
        return {pk: (name, slug, tier) for pk, name, slug, tier in rows}

    @cached_property
    def services(self) -> dict[int, Named]:
        """Every service by id."""
        return _named(Service.objects)

    @cached_property
    def categories(self) -> dict[int, Named]:
        """Every category by id."""
        return _named(Category.objects)

    @cached_property
    def vendors(self) -> dict[int, Named]:
        """Every vendor by id."""
        return _named(Vendor.objects)

    @cached_property
    def policies(self) -> dict[int, Named]:
        """Every policy by id."""
        return _named(Policy.objects)


FILTERS: Final = ("team", "service", "category", "priority", "kind")
NARROWERS: Final = ("to", "sort", "tier", "vendor", "policy")
TABLES: Final = {
    "team": "teams",
    "to": "teams",
    "service": "services",
    "category": "categories",
    "vendor": "vendors",
    "policy": "policies",
}
"""Which names the words of an address are looked up in."""


def narrowings(words: Mapping[str, str], names: Names) -> list[str]:
    """What the words of an address narrow figures to, as people call it."""
    return [_called(name, words[name], names) for name in (*FILTERS, *NARROWERS) if words.get(name)]


def _called(name: str, word: str, names: Names) -> str:
    if name == "priority":
        return f"P{word}"
    if name == "kind":
        return str(dict(Kind.choices).get(word, word))
    if name == "sort":
        return str(SORTS.get(word, word))
    rows: Mapping[int, Named] = getattr(names, TABLES[name]) if name in TABLES else {}
    called = next((each.name for each in rows.values() if each.slug == word), word)
    return f"→ {called}" if name == "to" else called


def _named(rows: Any) -> dict[int, Named]:
    found = rows.order_by("pk").values_list("pk", "name", "slug")
    return {pk: Named(name, slug) for pk, name, slug in found}
