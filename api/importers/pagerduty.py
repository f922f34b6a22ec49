"""Translates a PagerDuty account, as its REST API v2 tells it, into a document of ours; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from api.importers.bundle import Bundle, Newcomer, Site, free_slug, shortened
from api.importers.fields import inner, instant, items, text, whole, zone
from api.importers.seating import Roster, Seats, agrees, seat
from api.importers.steps import named_apart, told
from api.importers.turns import Turns, joined, local, not_before, week_spans, whole_length
from roles.worktime import Span

Account = Mapping[str, Any]
COLLECTIONS: Final = ("users", "teams", "schedules", "escalation_policies", "services")
UNMAPPED: Final = {
    "rulesets": "event rules route by what an event says: write them as rules of the source",
    "event_orchestrations": "orchestrations have no counterpart: write them as rules of the source",
    "business_services": "they only group services",
    "response_plays": "a major incident has its own roles and acts here",
    "webhooks": "name them under Webhooks in the admin; their secrets are not exported",
    "maintenance_windows": "set them on the source",
}
ROUND_S: Final = 60


def newcomers(account: Account) -> list[Newcomer]:
    """Everybody who can be a person here: whoever has a mail address."""
    return [
        Newcomer(
            name=shortened(text(user, "name", text(user, "email")), 200),
            email=text(user, "email"),
            zone=zone(user, "time_zone"),
            phone=_phone(user),
        )
        for user in items(account.get("users"))
        if "@" in text(user, "email")
    ]


def _phone(user: Mapping[str, Any]) -> str:
    for method in items(user.get("contact_methods")):
        if text(method, "type").startswith("phone_contact_method") and text(method, "address"):
            return f"+{text(method, 'country_code', '1')} {text(method, 'address')}"[:40]
    return ""


def translate(account: Account, site: Site, now: datetime) -> Bundle:
    """The account as teams, schedules, services and policies of ours, and what is left out."""
    bundle = Bundle(site)
    for user in items(account.get("users")):
        email = text(user, "email").lower()
        if email in site.usernames:
            bundle.emails[text(user, "id")] = email
        elif "@" not in email:
            bundle.leave_out(f"user {text(user, 'name', text(user, 'id'))}", "no mail address")
        if any(items(user.get("notification_rules"))):
            bundle.leave_ways_out(email or text(user, "id"))
    owners = _teams(account, bundle)
    rosters = [_roster(schedule, bundle, now) for schedule in items(account.get("schedules"))]
    seats = seat([each for each in rosters if each is not None], bundle, owners, now)
    services = _services(account, owners, seats, bundle)
    _policies(account, seats, services, bundle)
    for name, why in UNMAPPED.items():
        for each in items(account.get(name)):
            bundle.leave_out(f"{name} {text(each, 'name', text(each, 'id'))}", why)
    return bundle


def _teams(account: Account, bundle: Bundle) -> dict[str, str]:
    """Slugs of the teams by their id."""
    found = {}
    for team in items(account.get("teams")):
        members = [
            bundle.emails[text(inner(member, "user"), "id")]
            for member in items(team.get("members"))
            if text(inner(member, "user"), "id") in bundle.emails
        ]
        managers = [
            bundle.emails.get(text(inner(member, "user"), "id"))
            for member in items(team.get("members"))
            if text(member, "role") == "manager"
        ]
        lead = next(filter(None, managers), None)
        found[text(team, "id")] = bundle.add_team(
            text(team, "name", text(team, "id")), members, lead=lead
        )
    return found


# ---- Schedules ----


def _roster(schedule: Mapping[str, Any], bundle: Bundle, now: datetime) -> Roster | None:
    name = text(schedule, "name", text(schedule, "id"))
    if text(schedule, "type") == "schedule_v3":
        why = "schedules made of single shifts: export it as iCalendar and import that"
        bundle.leave_out(f"schedule {name}", why)
        return None
    place = zone(schedule, "time_zone")
    layers = [
        _layer(layer, place, f"{name}, {text(layer, 'name', 'a layer')}", bundle, now)
        for layer in items(schedule.get("schedule_layers"))
    ]
    turns = [layer for layer in layers if layer is not None]
    turns = _as_rendered(schedule, turns, bundle, name)
    team = next(iter(items(schedule.get("teams"))), {})
    entries = items(inner(schedule, "overrides_subschedule").get("rendered_schedule_entries"))
    return Roster(
        id=text(schedule, "id"),
        name=shortened(name),
        zone=place,
        owner=text(team, "id") or None,
        turns=turns,
        layered=True,
        stints=_entries(list(entries), bundle),
    )


def _layer(
    layer: Mapping[str, Any],
    place: str,
    what: str,
    bundle: Bundle,
    now: datetime,
) -> Turns | None:
    ends, starts = instant(layer, "end"), instant(layer, "start")
    if ends is not None and ends <= now:
        return None
    virtual = instant(layer, "rotation_virtual_start") or starts
    length = whole_length(whole(layer, "rotation_turn_length_seconds") or 0)
    people = _people(layer, bundle)
    trouble = _trouble(virtual, length, people)
    if trouble or virtual is None or length is None or people is None:
        bundle.leave_out(f"layer {what}", trouble)
        return None
    if ends is not None:
        why = f"it ends at {ends:%Y-%m-%d %H:%M} UTC, and ours go on: take it out then"
        bundle.leave_out(f"layer {what}", why)
    turns = Turns(
        name=text(layer, "name", "Layer"),
        people=people,
        begins=local(virtual, place),
        zone=place,
        days=length[0],
        hours=length[1],
        spans=_restrictions(layer, what, bundle),
    )
    if starts is not None and starts > now:
        turns = not_before(turns, local(starts, place))
        if turns.begins < local(starts, place):
            why = f"its first turn begins {local(starts, place) - turns.begins} earlier here"
            bundle.leave_out(f"layer {what}", why)
    return turns


def _people(layer: Mapping[str, Any], bundle: Bundle) -> tuple[str, ...] | None:
    """The mail addresses in their order; None when somebody of them is not known."""
    ids = [text(inner(each, "user"), "id") for each in items(layer.get("users"))]
    found = [bundle.emails.get(ident) for ident in ids]
    return None if None in found else tuple(email for email in found if email)


def _trouble(virtual: datetime | None, length: Any, people: Sequence[str] | None) -> str:
    if virtual is None:
        return "it does not say when its turns began"
    if length is None:
        return "its turns last neither whole days nor whole hours"
    if people is None:
        return "somebody in it has no account, and without them everybody's turn would be another"
    return "" if people else "nobody is in it"


def _restrictions(layer: Mapping[str, Any], what: str, bundle: Bundle) -> tuple[Span, ...]:
    spans: list[Span] = []
    for each in items(layer.get("restrictions")):
        try:
            opens = time.fromisoformat(text(each, "start_time_of_day", "00:00:00"))
        except ValueError:
            opens = time()
        seconds = whole(each, "duration_seconds") or 0
        if opens.second or seconds % ROUND_S:
            bundle.leave_out(f"layer {what}", "its hours were rounded to whole minutes")
        first, minutes = opens.hour * 60 + opens.minute, round(seconds / ROUND_S)
        if text(each, "type") == "weekly_restriction":
            day = ((whole(each, "start_day_of_week") or 1) - 1) % 7
            spans += week_spans(day * 1440 + first, minutes)
        else:
            for day in range(7):
                spans += week_spans(day * 1440 + first, min(minutes, 1440))
    return joined(spans)


def _entries(
    rendered: Sequence[Mapping[str, Any]], bundle: Bundle
) -> list[tuple[str, datetime, datetime]]:
    found = []
    for entry in rendered:
        email = bundle.emails.get(text(inner(entry, "user"), "id"))
        start, end = instant(entry, "start"), instant(entry, "end")
        if email and start and end and start < end:
            found.append((email, start, end))
    return found


def _as_rendered(
    schedule: Mapping[str, Any],
    turns: list[Turns],
    bundle: Bundle,
    name: str,
) -> list[Turns]:
    """The layers, lowest first, checked against the shifts that PagerDuty itself has rendered.

    Its answers have been seen in both orders; where it says what comes out, that decides.
    """
    if list(items(inner(schedule, "overrides_subschedule").get("rendered_schedule_entries"))):
        return turns  # overrides are in the final shifts: they say nothing of the layers alone
    final = items(inner(schedule, "final_schedule").get("rendered_schedule_entries"))
    rendered = _entries(list(final), bundle)
    if not rendered:
        return turns
    start, end = min(each[1] for each in rendered), max(each[2] for each in rendered)
    for order in (turns, turns[::-1]):
        if agrees(order, rendered, start, end):
            return order
    why = f"PagerDuty's own shifts from {start:%Y-%m-%d} to {end:%Y-%m-%d} are others: compare them"
    bundle.leave_out(f"schedule {name}", why)
    return turns


# ---- Services and policies ----


def _services(
    account: Account, owners: Mapping[str, str], seats: Seats, bundle: Bundle
) -> dict[str, list[str]]:
    """Slugs of the services by the id of the escalation policy that they use."""
    first_seat = {
        text(policy, "id"): _first_team(policy, owners, seats)
        for policy in items(account.get("escalation_policies"))
    }
    used: dict[str, list[str]] = {}
    for service in items(account.get("services")):
        name = shortened(text(service, "name", text(service, "id")))
        policy = text(inner(service, "escalation_policy"), "id")
        teams = [owners.get(text(team, "id")) for team in items(service.get("teams"))]
        owner = next(filter(None, teams), None) or first_seat.get(policy)
        slug = free_slug(name, bundle.services)
        bundle.services[slug] = {
            "name": name,
            "description": text(service, "description"),
            **({"owner": owner} if owner else {}),
        }
        used.setdefault(policy, []).append(slug)
    return used


def _first_team(policy: Mapping[str, Any], owners: Mapping[str, str], seats: Seats) -> str | None:
    """The team of a policy, else that of the first schedule that it calls."""
    for team in items(policy.get("teams")):
        if slug := owners.get(text(team, "id")):
            return slug
    for rule in items(policy.get("escalation_rules")):
        for target in items(rule.get("targets")):
            if slugs := seats.of.get(text(target, "id")):
                return slugs[0]
    return None


def _policies(
    account: Account,
    seats: Seats,
    services: Mapping[str, list[str]],
    bundle: Bundle,
) -> None:
    for policy in items(account.get("escalation_policies")):
        name = shortened(text(policy, "name", text(policy, "id")))
        what = f"escalation policy {name}"
        used = services.get(text(policy, "id"))
        if not used:
            bundle.leave_out(what, "no service uses it, so that no ticket would ever match it")
            continue
        steps, delay, last = [], timedelta(), timedelta(minutes=30)
        for rule in items(policy.get("escalation_rules")):
            tokens = _tokens(rule, seats, bundle, what)
            if tokens:
                steps.append(told(tokens, int(delay.total_seconds())))
            last = timedelta(minutes=whole(rule, "escalation_delay_in_minutes") or 30)
            delay += last
        if not steps:
            bundle.leave_out(what, "none of its targets is known here")
            continue
        bundle.policies[free_slug(f"pagerduty {name}", bundle.policies)] = {
            "name": name,
            "conditions": [{"fact": "service", "is": used}],
            "steps": named_apart(steps),
            "repeat_limit": whole(policy, "num_loops") or 0,
            "repeat_after": f"{int(last.total_seconds())} s",
        }


def _tokens(
    rule: Mapping[str, Any],
    seats: Seats,
    bundle: Bundle,
    what: str,
) -> list[str]:
    found: list[str] = []
    for target in items(rule.get("targets")):
        ident, kind = text(target, "id"), text(target, "type")
        if kind.startswith("user") and (username := bundle.username(bundle.emails.get(ident, ""))):
            found.append(f"person:{username}")
        elif kind.startswith("schedule") and seats.of.get(ident):
            found += seats.tokens(ident)
        else:
            bundle.leave_out(what, f"its target {text(target, 'summary', ident)} is not known here")
    return found
