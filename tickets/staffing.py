"""The people who run a major incident: named, told, and where they meet."""

from urllib.parse import urlsplit

from notifications.outbox import enqueue
from roles.access import allows
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import roles_of
from roles.refusals import Invalid
from tickets import letters, reminders
from tickets.acting import Act, acting, fitting
from tickets.incidents import under_way
from tickets.models import EventKind, Major, Ticket, TimelineEvent, Watcher

ROLE_WORDS = {
    "manager": "incident manager",
    "coordinator": "communication coordinator",
    "technical_lead": "technical lead",
    "scribe": "scribe",
}
NEEDED = {
    "manager": "run_major",
    "coordinator": "update_stakeholders",
    "technical_lead": "see_internal",
    "scribe": "see_internal",
}
"""What somebody must be allowed to do anyway, to be given a role: naming grants no rights."""


def staff_major(
    *,
    ticket: Ticket,
    actor: Person,
    people: dict[str, Person | None],
    bridge_url: str | None = None,
    channel_url: str | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Major:
    """Name roles (by the names of ROLE_WORDS; None takes a role back) and where people meet.

    Who is new in a role is told and watches the ticket. Raises Invalid for somebody who may not do
    what the role asks: naming grants no rights.
    """
    with acting(ticket, actor=actor, action="run_major", clock=clock, via=via) as act:
        major = under_way(act)
        before = major.people
        _check_people(people)
        for role, person in people.items():
            setattr(major, role, person)
        places = {"bridge_url": bridge_url, "channel_url": channel_url}
        for name, url in places.items():
            if url is not None:
                setattr(major, name, _address(url, name))
        major.save()
        fresh = {role: pk for role, pk in major.people.items() if before.get(role) != pk}
        for person_id in sorted(set(fresh.values())):
            Watcher.objects.get_or_create(
                ticket=act.ticket, person_id=person_id, defaults={"since": act.now}
            )
        event = act.record(
            EventKind.MAJOR_STAFFED,
            facts={
                "roles": major.people,
                "named": fresh,
                "bridge": bool(major.bridge_url),
                "channel": bool(major.channel_url),
            },
        )
        _tell_named(act, event, major, fresh)
        if {"manager", "coordinator"} & set(people):
            reminders.remind(act, event, major)
        return major


def _check_people(people: dict[str, Person | None]) -> None:
    wrong = {}
    for role, person in people.items():
        if role not in ROLE_WORDS:
            wrong[role] = "There is no such role."
        elif person is None and role == "manager":
            wrong[role] = "Somebody has to lead it."
        elif person is not None and not allows(roles_of(person), NEEDED[role], frozenset()):
            wrong[role] = f"{person} may not do what this role asks."
    if wrong:
        raise Invalid("not_fit", "A role cannot be given like that.", wrong)


def _address(url: str, name: str) -> str:
    text = fitting(url.strip(), name, 200)
    if text and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname):
        raise Invalid("bad_url", "That is no address.", {name: "Begin with https://."})
    return text


def _tell_named(act: Act, event: TimelineEvent, major: Major, fresh: dict[str, int]) -> None:
    told = []
    for role, person_id in fresh.items():
        lines = [f"You are its {ROLE_WORDS[role]}."]
        lines += [f"Bridge: {major.bridge_url}"] if major.bridge_url else []
        lines += [f"Channel: {major.channel_url}"] if major.channel_url else []
        told += letters.to_people(
            act.ticket,
            event,
            kind="major_role",
            body="\n".join(lines),
            person_ids=[person_id],
            urgency="high",
        )
    enqueue(told, now=act.now)
