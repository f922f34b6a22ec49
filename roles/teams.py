"""Writes who belongs to which team and who holds which duty, each with its audit entry."""

from typing import Any, Final

from django.db import transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Duty, DutyAssignment, Membership, Person, Team
from roles.people import forget_roles, require
from roles.refusals import Conflict, Invalid

ADMINISTRATOR: Final = "administrator"
"""The duty of whoever may write here."""


def relations_to(person: Person | None, team: Team) -> frozenset[str]:
    """What the person is to the team: own_team, lead_of_team, manager_of_team.

    Its named lead and manager belong to it without a membership.
    """
    if person is None:
        return frozenset()
    place = Membership.objects.filter(team=team, person=person).values_list("role", flat=True)
    role = place.first()
    found = set() if role is None else {"own_team"}
    if role == Membership.Role.LEAD or team.lead_id == person.pk:
        found |= {"own_team", "lead_of_team"}
    if role == Membership.Role.MANAGER or team.manager_id == person.pk:
        found |= {"own_team", "manager_of_team"}
    return frozenset(found)


@transaction.atomic
def add_member(
    *,
    team: Team,
    person: Person,
    role: str = Membership.Role.MEMBER,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Membership:
    """The person's place in the team, made or given another role.

    Leads add members; making somebody lead or manager takes the team's manager or an
    administrator. Raises Forbidden, and Invalid with the fields `role` or `person`.
    """
    relations = relations_to(actor, team)
    require(actor, "manage_roster", relations)
    if role != Membership.Role.MEMBER and "manager_of_team" not in relations:
        require(actor, "admin")
    if role not in Membership.Role.values:
        known = ", ".join(Membership.Role.values)
        raise Invalid("bad_member", "Unknown role.", {"role": f"Use one of {known}."})
    _require_active(person)
    membership, is_new = Membership.objects.get_or_create(
        team=team, person=person, defaults={"role": role}
    )
    changes: dict[str, Any] = {"person": person.username, "role": role}
    if is_new:
        _record(actor, "member.added", team, changes=changes, clock=clock)
    elif membership.role != role:
        changes["role"] = [membership.role, role]
        membership.role = role
        membership.save(update_fields=["role"])
        _record(actor, "member.changed", team, changes=changes, clock=clock)
    forget_roles(person)
    return membership


@transaction.atomic
def remove_member(
    *,
    team: Team,
    person: Person,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> None:
    """Take the person out of the team. Raises Forbidden, and Conflict for somebody not in it."""
    require(actor, "manage_roster", relations_to(actor, team))
    gone, _ = Membership.objects.filter(team=team, person=person).delete()
    if not gone:
        raise Conflict("not_a_member", f"{person} is not in {team}.")
    _lose(actor, "member.removed", team, person, clock=clock, reason=reason)


@transaction.atomic
def set_heads(
    *,
    team: Team,
    lead: Person | None,
    manager: Person | None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Team:
    """The team with this lead and manager, either of whom may be nobody. Raises Forbidden."""
    require(actor, "admin")
    for head in filter(None, (lead, manager)):
        _require_active(head)
    locked = Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
    before = {"lead": _name(locked.lead), "manager": _name(locked.manager)}
    Team.objects.filter(pk=team.pk).update(lead=lead, manager=manager)
    team.lead, team.manager = lead, manager
    after = {"lead": _name(lead), "manager": _name(manager)}
    if changes := audit.differences(before, after):
        _record(actor, "team.heads_changed", team, changes=changes, clock=clock)
    for head in filter(None, (lead, manager)):
        forget_roles(head)
    return team


@transaction.atomic
def assign_duty(
    *,
    duty: Duty,
    person: Person,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> DutyAssignment:
    """The person's holding of the duty, made if need be. Raises Forbidden and Invalid."""
    require(actor, "admin")
    _require_active(person)
    assignment, is_new = DutyAssignment.objects.get_or_create(duty=duty, person=person)
    if is_new:
        _record(actor, "duty.assigned", duty, changes={"person": person.username}, clock=clock)
    forget_roles(person)
    return assignment


@transaction.atomic
def withdraw_duty(
    *,
    duty: Duty,
    person: Person,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> None:
    """Take the duty from the person.

    Raises Forbidden; Conflict for who does not hold it, and for an administrator's own
    administration, since nobody might be left to give it back.
    """
    require(actor, "admin")
    if actor is not None and actor.pk == person.pk and duty.slug == ADMINISTRATOR:
        raise Conflict("own_account", "Another administrator takes this duty from you.")
    gone, _ = DutyAssignment.objects.filter(duty=duty, person=person).delete()
    if not gone:
        raise Conflict("duty_not_held", f"{person} does not hold {duty}.")
    _lose(actor, "duty.withdrawn", duty, person, clock=clock, reason=reason)


def _require_active(person: Person) -> None:
    if not person.is_active:
        raise Invalid("inactive", f"{person} is not active.", {"person": "Not active."})


def _name(person: Person | None) -> str | None:
    return person.username if person else None


def _lose(
    actor: Person | None,
    action: str,
    subject: Team | Duty,
    person: Person,
    *,
    clock: TimeSource,
    reason: str,
) -> None:
    """Tell that the person has no place there any more, and ask anew what they may."""
    changes = {"person": person.username}
    _record(actor, action, subject, changes=changes, clock=clock, reason=reason)
    forget_roles(person)


def _record(
    actor: Person | None,
    action: str,
    subject: Team | Duty,
    *,
    changes: dict[str, Any],
    clock: TimeSource,
    reason: str = "",
) -> None:
    audit.record(
        actor=actor, action=action, subject=subject, changes=changes, reason=reason, clock=clock
    )
