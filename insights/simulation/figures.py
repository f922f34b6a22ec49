"""What a simulation comes to: firings, pages by hour and person, nights, breaches warned of."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from statistics import median
from textwrap import wrap
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from escalation.firing import Deed
from insights.simulation.playing import Breach, Outcome

LABEL: Final = gettext_noop(
    "What the policy would have done to the past as it was. People would have acted otherwise: "
    "a page answered early changes everything after it, and what would have been moved or raised "
    "is counted, not carried on."
)
NIGHT: Final = (time(22), time(7))
"""From when to when, by a person's own clock, a page disturbs the night."""

ZoneOf = Callable[[int], str]


@dataclass
class Person:
    """The pages of one person: how many, at which hours of the own day, in how many nights."""

    name: str
    hours: Counter[int] = field(default_factory=Counter)
    nights: set[str] = field(default_factory=set)


@dataclass
class Tier:
    """What happened to tickets while a tier had them."""

    fired: int = 0
    pages: int = 0
    breaches: int = 0
    warned: int = 0


@dataclass
class Figures:
    """The running totals of one world; `zone_of` gives a person's time zone."""

    zone_of: ZoneOf
    tickets: int = 0
    touched: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    week: Counter[tuple[int, int]] = field(default_factory=Counter)
    people: dict[int, Person] = field(default_factory=dict)
    tiers: dict[str, Tier] = field(default_factory=dict)
    missed: Counter[str] = field(default_factory=Counter)
    leads: dict[str, list[float]] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count one ticket."""
        self.tickets += 1
        self.touched += bool(outcome.deeds)
        warnings = []
        for tier, deed in outcome.deeds:
            self._count(tier, deed)
            if deed.told:
                warnings.append(deed.firing.fired_at)
        for breach in outcome.breaches:
            self._judge(breach, warnings)

    def _count(self, tier: str, deed: Deed) -> None:
        outcome = str(deed.firing.outcome)
        self.outcomes[outcome] += 1
        if outcome == "skipped":
            return
        self.steps[deed.policy, deed.due.step.name] += 1
        self._tier(tier).fired += 1
        for verb in ("page", "notify", "involve"):
            found = deed.found.get(verb)
            self.deeds[verb] += len(found.people) if found else 0
        self.deeds["move"] += deed.to_team is not None
        self.deeds["raise"] += deed.raise_to is not None
        self.deeds["fallback"] += deed.fallback is not None
        paged = [*(deed.found["page"].people if "page" in deed.found else [])]
        paged += deed.fallback.people if deed.fallback else []
        for person in paged:
            self._page(tier, person.person_id, person.name, deed.firing.fired_at)

    def _page(self, tier: str, person_id: int, name: str, at: datetime) -> None:
        self._tier(tier).pages += 1
        local = at.astimezone(ZoneInfo(self.zone_of(person_id)))
        self.week[local.weekday(), local.hour] += 1
        person = self.people.setdefault(person_id, Person(name))
        person.hours[local.hour] += 1
        night = night_of(local)
        if night:
            person.nights.add(night)

    def _judge(self, breach: Breach, warnings: list[datetime]) -> None:
        before = [at for at in warnings if breach.started_at <= at < breach.at]
        self.missed[breach.clock] += 1
        tier = self._tier(breach.tier)
        tier.breaches += 1
        if before:
            tier.warned += 1
            lead_s = (breach.at - before[0]).total_seconds()
            self.leads.setdefault(breach.clock, []).append(lead_s)

    def _tier(self, slug: str) -> Tier:
        return self.tiers.setdefault(slug, Tier())

    def document(self) -> dict[str, Any]:
        """All of it as plain data, in one order whatever happened first."""
        nights = sum(len(person.nights) for person in self.people.values())
        return {
            "tickets": self.tickets,
            "tickets_touched": self.touched,
            "firings": {name: self.outcomes[name] for name in ("fired", "empty", "skipped")},
            "steps": [
                {"policy": policy, "step": step, "firings": number}
                for (policy, step), number in sorted(self.steps.items())
            ],
            "pages": sum(self.week.values()),
            "notifications": self.deeds["notify"],
            "authority_called": self.deeds["involve"],
            "moves": self.deeds["move"],
            "priority_raises": self.deeds["raise"],
            "fallbacks": self.deeds["fallback"],
            "nights_disturbed": nights,
            "pages_by_hour": [[self.week[day, hour] for hour in range(24)] for day in range(7)],
            "people": [_person(person) for person in sorted(self.people.values(), key=_rank)],
            "tiers": {slug: vars(self.tiers[slug]) for slug in sorted(self.tiers)},
            "breaches": {clock: self._breach(clock) for clock in sorted(self.missed)},
        }

    def _breach(self, clock: str) -> dict[str, Any]:
        leads = self.leads.get(clock, [])
        return {
            "missed": self.missed[clock],
            "warned_before": len(leads),
            "median_lead_s": round(median(leads)) if leads else None,
        }


def night_of(local: datetime) -> str:
    """The date on which the night began that holds this local time; empty by day."""
    begins, ends = NIGHT
    if local.time() >= begins:
        return local.date().isoformat()
    return (local - timedelta(days=1)).date().isoformat() if local.time() < ends else ""


def _rank(person: Person) -> tuple[int, str]:
    return -sum(person.hours.values()), person.name


def _person(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "pages": sum(person.hours.values()),
        "nights_disturbed": len(person.nights),
        "by_hour": [person.hours[hour] for hour in range(24)],
    }


def moment(at: datetime) -> str:
    """An instant as reports show it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


# ---- For people --------------------------------------------------------------------------------

ROWS: Final = (
    ("Tickets played", "tickets"),
    ("Tickets with a firing", "tickets_touched"),
    ("Pages", "pages"),
    ("Nights disturbed", "nights_disturbed"),
    ("Notifications", "notifications"),
    ("Authority called in", "authority_called"),
    ("Moves asked for", "moves"),
    ("Priority raises asked for", "priority_raises"),
    ("Steps that reached nobody", "fallbacks"),
)


def by_name(report: Mapping[str, Any]) -> dict[str, Any]:
    """The worlds of a report in the order in which they were named."""
    return {world["name"]: world for world in report["worlds"]}


def lines(report: Mapping[str, Any], people: int = 10) -> list[str]:
    """The report as a table for people, the worlds side by side."""
    worlds = by_name(report)
    rows = [["", *worlds]]
    rows += [[title, *(str(w[key]) for w in worlds.values())] for title, key in ROWS]
    for outcome in ("fired", "empty", "skipped"):
        rows.append([f"Firings: {outcome}", *(str(w["firings"][outcome]) for w in worlds.values())])
    for clock in sorted({clock for world in worlds.values() for clock in world["breaches"]}):
        cells = [warned_words(world["breaches"].get(clock)) for world in worlds.values()]
        rows.append([f"{clock}: warned before missed", *cells])
    for tier in sorted({tier for world in worlds.values() for tier in world["tiers"]}):
        cells = [at_tier_words(world["tiers"].get(tier)) for world in worlds.values()]
        rows.append([f"{tier or 'no tier'}: firings, pages, warned/missed", *cells])
    found = _columns(rows)
    for name, world in worlds.items():
        found += ["", f"Pages by hour of the paged person's day, {name}:"]
        found += _week(world["pages_by_hour"])
        found += ["", *(_by_person(person) for person in world["people"][:people])]
        found += [f"Not simulated: {step}" for step in world["not_simulated"]]
    return [*found, "", *wrap(report["label"], 78)]


def warned_words(breach: Mapping[str, Any] | None) -> str:
    if breach is None:
        return "0/0"
    lead = breach["median_lead_s"]
    ahead = f", {lead / 3600:.1f} h ahead" if lead is not None else ""
    return f"{breach['warned_before']}/{breach['missed']}{ahead}"


def at_tier_words(tier: Mapping[str, Any] | None) -> str:
    if tier is None:
        return "-"
    return f"{tier['fired']}, {tier['pages']}, {tier['warned']}/{tier['breaches']}"


def _by_person(person: Mapping[str, Any]) -> str:
    nights = person["nights_disturbed"]
    return f"  {person['pages']:>6} pages, {nights:>4} nights  {person['name']}"


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _week(hours: list[list[int]]) -> list[str]:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    head = "     " + "".join(f"{hour:>5}" for hour in range(24))
    return [head] + [
        f"{day}  " + "".join(f"{count:>5}" for count in row)
        for day, row in zip(days, hours, strict=True)
    ]
