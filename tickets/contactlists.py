"""Lists of whom to call or tell in a scenario: who keeps them, and the word to those on them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from notifications.outbox import Letter
from roles import audit
from roles.access import allows
from roles.instants import TimeSource, database_now
from roles.models import Membership, Person, Team
from roles.people import is_allowed, roles_of
from roles.refusals import Conflict, Forbidden, Invalid
from roles.teams import relations_to
from tickets.acting import fitting, required
from tickets.models import Contact, ContactList, Scenario, Service, Ticket, TimelineEvent
from tickets.subscriptions import words_to

ON_A_LIST: Final = 100


def may_keep(actor: Person | None, team: Team | None) -> bool:
    """Whether somebody may change lists: a team's own its heads, everybody's who informs."""
    if is_allowed(actor, "admin"):
        return True
    if actor is None:
        return False
    if team is None:
        return allows(roles_of(actor), "update_stakeholders", frozenset())
    return is_allowed(actor, "manage_roster", relations_to(actor, team))


def kept_teams(person: Person) -> QuerySet[Team]:
    """The teams whose lists the person keeps; one query."""
    teams = Team.objects.filter(is_active=True)
    if is_allowed(person, "admin"):
        return teams
    heading = Membership.objects.filter(
        person=person.pk, role__in=[Membership.Role.LEAD, Membership.Role.MANAGER]
    )
    named = Q(lead=person.pk) | Q(manager=person.pk)
    return teams.filter(named | Q(pk__in=heading.values("team")))


@transaction.atomic
def keep_list(
    *,
    actor: Person | None,
    name: str,
    scenario: str,
    team: Team | None = None,
    services: Sequence[Service] = (),
    severity: int = 3,
    advice: str = "",
    listed: ContactList | None = None,
    clock: TimeSource = database_now,
) -> ContactList:
    """A new list, or `listed` with other facts. Raises Forbidden, Invalid and Conflict."""
    _require(actor, team)
    before: dict[str, object] = {}
    if listed is not None:
        listed = _locked(actor, listed)
        before = audit.field_values(listed)
    if scenario not in Scenario.values:
        raise Invalid("unknown_choice", "Choose a scenario.", {"scenario": "Choose one."})
    if not 1 <= severity <= 3:
        raise Invalid("unknown_choice", "Choose a severity.", {"severity": "1, 2 or 3."})
    kept = listed or ContactList()
    kept.name, kept.scenario, kept.team = required(name, "name", 120), scenario, team
    kept.severity, kept.advice = severity, fitting(advice.strip(), "advice", 2000)
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError:
        words = "There is a list of this name already."
        raise Conflict("name_taken", words) from None
    kept.services.set(services)
    changes = audit.differences(before, audit.field_values(kept))
    changes["services"] = sorted(service.slug for service in services)
    _note(actor, "contact_list.kept", kept, changes, clock)
    return kept


@transaction.atomic
def end_list(
    *, actor: Person | None, listed: ContactList, clock: TimeSource = database_now
) -> None:
    """The list is not used any more. Raises Forbidden."""
    kept = _locked(actor, listed)
    if kept.is_active:
        kept.is_active = False
        kept.save(update_fields=["is_active"])
        _note(actor, "contact_list.ended", kept, {}, clock)


@transaction.atomic
def put_on_list(
    *,
    actor: Person | None,
    listed: ContactList,
    person: Person,
    part: str = "",
    clock: TimeSource = database_now,
) -> Contact:
    """The person on the list, as what; once more changes as what. Raises Forbidden and Conflict."""
    kept = _locked(actor, listed)
    words = fitting(part.strip(), "part", 120)
    if not person.is_active or person.kind != Person.Kind.PERSON:
        raise Invalid("nobody", "This account is no person.", {"person": "Name a person."})
    if kept.contacts.exclude(person=person).count() >= ON_A_LIST:
        raise Conflict("too_many", f"{ON_A_LIST} people are enough for one list.")
    contact, _ = Contact.objects.update_or_create(
        listed=kept, person=person, defaults={"part": words}
    )
    _note(actor, "contact_list.added", kept, {"person": str(person), "part": words}, clock)
    return contact


@transaction.atomic
def take_off_list(
    *,
    actor: Person | None,
    listed: ContactList,
    person: Person,
    clock: TimeSource = database_now,
) -> None:
    """The person is not on the list any more. Raises Forbidden."""
    kept = _locked(actor, listed)
    gone, _ = Contact.objects.filter(listed=kept, person=person).delete()
    if gone:
        _note(actor, "contact_list.removed", kept, {"person": str(person)}, clock)


def lists_for(
    scenario: str, *, service_id: int | None = None, team_id: int | None = None
) -> QuerySet[ContactList]:
    """The lists in use for a scenario: everybody's and the team's, for all or this service."""
    of_service = Q(services=None) | (Q(services=service_id) if service_id else Q())
    of_team = Q(team=None) | (Q(team=team_id) if team_id else Q())
    rows = ContactList.objects.filter(of_service, of_team, scenario=scenario, is_active=True)
    return rows.distinct()


def to_listed(
    ticket: Ticket,
    event: TimelineEvent,
    *,
    kind: str,
    body: str,
    severity: int,
    leave_out: Iterable[int],
) -> list[Letter]:
    """The word on a major incident to everybody on the lists for an outage of its service.

    They read what subscribers do, whatever organisation the ticket is of: who keeps the list has
    decided that it concerns them, and the status page shows it to them.
    """
    if ticket.restricted:
        return []
    owner_team_id = ticket.service.owner_team_id if ticket.service else None
    lists = lists_for(
        Scenario.OUTAGE, service_id=ticket.service_id, team_id=owner_team_id or ticket.team_id
    ).filter(severity__gte=severity)
    people = Contact.objects.filter(listed__in=lists.values("pk"), person__is_active=True).exclude(
        person__in=[*leave_out, *([event.actor_id] if event.actor_id else [])]
    )
    ids = people.order_by("person_id").values_list("person_id", flat=True).distinct()
    return words_to(ids, ticket, event, kind=kind, body=body)


def _require(actor: Person | None, team: Team | None) -> None:
    if actor is not None and not may_keep(actor, team):
        raise Forbidden("forbidden", "You may not change this list.")


def _locked(actor: Person | None, listed: ContactList) -> ContactList:
    kept = ContactList.objects.select_for_update(of=("self",)).get(pk=listed.pk)
    _require(actor, kept.team)
    return kept


def _note(
    actor: Person | None,
    action: str,
    listed: ContactList,
    changes: Mapping[str, object],
    clock: TimeSource,
) -> None:
    audit.record(actor=actor, action=action, subject=listed, changes=changes, clock=clock)
