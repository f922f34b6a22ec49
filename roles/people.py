"""Says which roles a person has, insists on a right, and switches accounts off and on."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from roles import audit
from roles.access import allows
from roles.instants import TimeSource, database_now
from roles.models import DutyAssignment, Membership, Organisation, Person, Team
from roles.refusals import Conflict, Forbidden, Invalid
from roles.written import Written
from roles.zones import zone_exists

NOBODY: frozenset[str] = frozenset()


def roles_of(person: Person) -> frozenset[str]:
    """The person's roles as `access` names them; none for an inactive account.

    Asked of the database once per instance; `forget_roles` makes it ask again.
    """
    known: frozenset[str] | None = getattr(person, "_roles", None)
    if known is None:
        known = person._roles = _roles(person) if person.is_active else NOBODY  # type: ignore[attr-defined]
    return known


def read_roles(people: Sequence[Person]) -> None:
    """Let `roles_of` know the roles of all of these, by one query for those not known yet."""
    unknown = [person for person in people if getattr(person, "_roles", None) is None]
    found = _roles_by_id([person for person in unknown if person.is_active]) if unknown else {}
    for person in unknown:
        person._roles = found.get(person.pk, NOBODY)  # type: ignore[attr-defined]


def works_here(person: str = "pk") -> Q:
    """Which rows are about somebody who has a place in a team, heads one, or has a duty.

    `person` is the field with the person's id. One condition, no further query.
    """
    mine = OuterRef(person)
    in_a_team = Exists(Membership.objects.filter(person=mine))
    heads_one = Exists(Team.objects.filter(Q(lead=mine) | Q(manager=mine)))
    has_a_duty = Exists(DutyAssignment.objects.filter(person=mine))
    return Q(in_a_team) | Q(heads_one) | Q(has_a_duty)


def with_holdings(people: QuerySet[Person]) -> QuerySet[Person]:
    """The people, each with all that `take_roles` makes their roles of; no further query."""
    mine = OuterRef("pk")
    places = Membership.objects.filter(person=mine).order_by().values("role")
    duties = DutyAssignment.objects.filter(person=mine).order_by().values("duty__slug")
    return people.annotate(
        held_places=ArraySubquery(places),
        held_duties=ArraySubquery(duties),
        held_lead=Exists(Team.objects.filter(lead=mine)),
        held_manager=Exists(Team.objects.filter(manager=mine)),
    )


def take_roles(person: Any) -> None:
    """Let `roles_of` know the roles of somebody who was read `with_holdings`."""
    heads = {"lead": person.held_lead, "manager": person.held_manager}
    places = {*person.held_places, *(role for role, is_so in heads.items() if is_so)}
    held = [("place", role) for role in places] + [("duty", slug) for slug in person.held_duties]
    person._roles = _roles_from(person, held) if person.is_active else NOBODY


def any_agent(person_id: int) -> Person:
    """Stands for whoever may see all but cases, in queries put into words for all of them."""
    somebody = Person(pk=person_id)
    somebody._roles = frozenset({"agent"})  # type: ignore[attr-defined]
    return somebody


def any_requester(person_id: int, organisation_id: int | None = None) -> Person:
    """The same for whoever may see their own, and all of their organisation if one is named."""
    somebody = Person(pk=person_id)
    if organisation_id is not None:
        somebody.organisation = Organisation(pk=organisation_id, may_see_own=True)
    somebody._roles = NOBODY  # type: ignore[attr-defined]
    return somebody


def forget_roles(person: Person) -> None:
    """Make the next `roles_of` read memberships and duties anew."""
    person.__dict__.pop("_roles", None)


def is_allowed(actor: Person | None, action: str, relations: frozenset[str] = frozenset()) -> bool:
    """Whether the actor may do `action`; None is the system, which may do everything."""
    return actor is None or allows(roles_of(actor), action, relations)


def require(actor: Person | None, action: str, relations: frozenset[str] = frozenset()) -> None:
    """Raise Forbidden unless the actor may do `action`."""
    if not is_allowed(actor, action, relations):
        detail = f"You may not do this here: {action.replace('_', ' ')}."
        raise Forbidden("forbidden", detail)


@transaction.atomic
def deactivate(
    *,
    person: Person,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Person:
    """The person without access: no sign-in, no token, no page, no message from now on.

    Raises Forbidden, and Conflict for an administrator's own account.
    """
    require(actor, "admin")
    if actor is not None and actor.pk == person.pk:
        raise Conflict("own_account", "You cannot switch off your own account.")
    return _set_active(person, False, reason, actor, clock)


@transaction.atomic
def reactivate(
    *,
    person: Person,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Person:
    """The person with the access of before. Raises Forbidden."""
    require(actor, "admin")
    return _set_active(person, True, reason, actor, clock)


@transaction.atomic
def set_own_ways(
    *, actor: Person, zone: str, language: str, clock: TimeSource = database_now
) -> Person:
    """The person with another time zone and language of their own choice.

    Raises Invalid for a zone or a language that does not exist here.
    """
    if not zone_exists(zone):
        words = "There is no such time zone."
        raise Invalid("unknown_zone", words, {"zone": words})
    if language not in dict(settings.LANGUAGES):
        words = "The pages do not speak this language."
        raise Invalid("unknown_language", words, {"language": words})
    locked = Person.objects.select_for_update().get(pk=actor.pk)
    before = {"zone": locked.zone, "language": locked.language}
    changes = audit.differences(before, {"zone": zone, "language": language})
    if changes:
        locked.zone, locked.language = zone, language
        locked.save(update_fields=["zone", "language"])
        audit.record(
            actor=actor, action="person.ways", subject=locked, changes=changes, clock=clock
        )
    actor.zone, actor.language = zone, language
    return actor


def _set_active(
    person: Person, active: bool, reason: str, actor: Person | None, clock: TimeSource
) -> Person:
    locked = Person.objects.select_for_update().get(pk=person.pk)
    if locked.is_active != active:
        locked.is_active, locked.left_at = active, None if active else clock()
        locked.save(update_fields=["is_active", "left_at"])
        action = "person.reactivated" if active else "person.deactivated"
        audit.record(actor=actor, action=action, subject=locked, reason=reason, clock=clock)
    person.is_active, person.left_at = active, locked.left_at
    forget_roles(person)
    return person


def _roles(person: Person) -> frozenset[str]:
    return _roles_by_id([person])[person.pk]


def _holdings(people: Sequence[int]) -> QuerySet[Any, Any]:
    """Memberships, duties and leadership of people, each with what it is called: one query."""
    places = Membership.objects.filter(person__in=people)
    duties = DutyAssignment.objects.filter(person__in=people)
    leads = Team.objects.filter(lead__in=people)
    manages = Team.objects.filter(manager__in=people)
    return (
        places.values_list("person_id", Value("place"), "role")
        .order_by()
        .union(
            duties.values_list("person_id", Value("duty"), "duty__slug").order_by(),
            leads.values_list("lead_id", Value("head"), Value("lead")).order_by(),
            manages.values_list("manager_id", Value("head"), Value("manager")).order_by(),
        )
    )


OF_ONE: Final = Written(lambda person: _holdings([person]), person=int)


def _roles_by_id(people: Sequence[Person]) -> dict[int, frozenset[str]]:
    """The roles of each, all by one query."""
    ids = [person.pk for person in people]
    rows = OF_ONE.all(person=ids[0]) if len(ids) == 1 else list(_holdings(ids))
    held: dict[int, list[tuple[str, str]]] = {pk: [] for pk in ids}
    for person_id, source, name in rows:
        held[person_id].append((source, name))
    return {person.pk: _roles_from(person, held[person.pk]) for person in people}


def _roles_from(person: Person, held: Iterable[tuple[str, str]]) -> frozenset[str]:
    """What somebody is by birth, by places in teams, and by duties."""
    names = {"service" if person.kind == Person.Kind.SERVICE else "requester"}
    if person.is_superuser:
        names.add("administrator")
    for source, name in held:
        if source != "duty":
            names.add("agent")
        names.add(name.replace("-", "_"))
    return frozenset(names - {Membership.Role.MEMBER.value})
