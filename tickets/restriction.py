"""The security lane: a ticket put under need-to-know, and that lifted again by two people."""

from collections.abc import Iterable
from copy import copy

from notifications import live
from notifications.outbox import enqueue, require_clearance, withdraw
from roles.instants import TimeSource, database_now
from roles.models import Membership, Person, Team
from roles.oncall import on_call
from roles.refusals import Conflict, Invalid
from tickets import letters
from tickets.acting import Act, acting, required
from tickets.assignment import Move, move_many
from tickets.models import Clearance, EventKind, Lifting, Major, Ticket, Watcher
from tickets.routing import SECURITY_LANE, best_routes

# ---- Put under need-to-know --------------------------------------------------------------------


def restrict(
    *,
    ticket: Ticket,
    actor: Person | None,
    reason: str,
    cleared: Iterable[Person] = (),
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Put the ticket into the security lane; from now on only cleared people know of it.

    Cleared are the actor, whoever is on call in the lane's team, its lead and manager, and those
    named in `cleared`, and who works on a ticket that is in the lane already; the requester is not,
    unless named. Everything queued for anybody is
    withdrawn, and watchers who are not cleared watch no more. It keeps its key: who knew it, knew
    it. An open ticket moves to the lane's team. Raises Conflict when it is restricted already, or
    is or was a major incident that nobody demoted, Invalid when the site has no team in the lane.
    """
    with acting(ticket, actor=actor, action="restrict", clock=clock, via=via) as act:
        restrict_within(act, reason=reason, clock=clock, cleared=[each.pk for each in cleared])
        return act.ticket


def restrict_within(
    act: Act, *, reason: str, clock: TimeSource, cleared: Iterable[int] = ()
) -> None:
    """Restrict within an act under way on a locked ticket, as a policy's step does."""
    ticket, words = act.ticket, required(reason, "reason", 2000)
    if ticket.restricted:
        raise Conflict("restricted", f"{ticket.key} is restricted already.")
    if Major.objects.filter(ticket=ticket.pk, state=Major.State.ACCEPTED).exists():
        raise Conflict("major", f"{ticket.key} is a major incident; demote it first.")
    if ticket.is_major:
        raise Conflict("major", f"{ticket.key} was a major incident; reopen and demote it first.")
    lane = lane_team(ticket)
    act.resume_first()
    left_team = ticket.team_id
    readers = {*first_readers(lane, act), *cleared, *_at_work_in(lane, ticket)}
    Clearance.every.filter(ticket=ticket.pk).delete()
    Clearance.objects.bulk_create(
        [Clearance(ticket=ticket, person_id=pk, since=act.now) for pk in sorted(readers)]
    )
    Major.objects.filter(ticket=ticket.pk, state=Major.State.PROPOSED).delete()
    unwatched = Watcher.objects.filter(ticket=ticket.pk).exclude(person__in=readers)
    gone = sorted(unwatched.values_list("person_id", flat=True))
    unwatched.delete()
    ticket.restricted = True
    facts = {"cleared": sorted(readers), "unwatched": gone}
    event = act.record(EventKind.RESTRICTED, body=words, facts=facts)
    withdraw(topics=[ticket.topic], reason="the ticket has become restricted", now=act.now)
    require_clearance(topic=ticket.topic, clearance=ticket.topic)
    if ticket.is_open and ticket.team_id != lane.pk:
        wanted = Move(
            ticket=ticket, to_team=lane, actor=act.actor, via=act.via, tell_requester=False
        )
        move_many([wanted], clock=clock, announce=act.announce)
    told = letters.to_people(ticket, event, kind="cleared", body="", person_ids=readers)
    enqueue(told, now=act.now)
    # Whoever has the old queue open shall not go on reading what is not theirs any more.
    live.publish({f"team:{left_team}"} if left_team else set())


def lane_team(ticket: Ticket) -> Team:
    """The team of the security lane for this ticket's subject. Raises Invalid when there is none.

    Its route decides, else the lane's first team.
    """
    routes = best_routes(service_id=ticket.service_id, category_id=ticket.category_id)
    for route in routes:
        if route.tier.slug == SECURITY_LANE:
            return copy(route.team)
    lane = Team.objects.filter(tier__slug=SECURITY_LANE, is_active=True).order_by("id").first()
    if lane is None:
        raise Invalid("no_lane", "This site has no team in the security lane.")
    return lane


def first_readers(team: Team, act: Act) -> set[int]:
    """Who is cleared without being named: the actor, who is on call, the lead and the manager.

    A team of which none of these can be found is cleared as a whole, so that a case never stands
    where nobody may look.
    """
    found: set[int | None] = {*on_call([team.pk], act.now)[team.pk], team.lead_id, team.manager_id}
    heads = Membership.objects.filter(team=team, role__in=["lead", "manager"])
    found |= set(heads.values_list("person_id", flat=True))
    active = _active(found)
    if not active:
        members = Membership.objects.filter(team=team).values_list("person_id", flat=True)
        active = _active(members)
    return active | ({act.actor.pk} if act.actor else set())


def _at_work_in(lane: Team, ticket: Ticket) -> set[int]:
    """The analyst who works on a case that is in the lane's team already: the chain begins there.

    One that comes from another team is put down by the move, as any escalated ticket is.
    """
    is_there = ticket.is_open and ticket.team_id == lane.pk
    return _active([ticket.assignee_id]) if is_there else set()


def _active(person_ids: Iterable[int | None]) -> set[int]:
    people = Person.objects.filter(pk__in=[pk for pk in person_ids if pk], is_active=True)
    return set(people.values_list("pk", flat=True))


# ---- Lifted by two -----------------------------------------------------------------------------


def propose_unrestrict(
    *,
    ticket: Ticket,
    actor: Person,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Lifting:
    """Ask a second person to lift the restriction; the cleared people are told."""
    with acting(ticket, actor=actor, action="unrestrict", clock=clock, via=via) as act:
        _require_restricted(act.ticket)
        words = required(reason, "reason", 2000)
        if Lifting.objects.filter(ticket=act.ticket.pk, confirmed_at=None).exists():
            raise Conflict("proposed", "That has been proposed already; somebody else confirms it.")
        lifting = Lifting.objects.create(
            ticket=act.ticket, proposer=actor, reason=words, proposed_at=act.now
        )
        event = act.record(EventKind.UNRESTRICTED, body=words, facts={"state": "proposed"})
        told = letters.to_people(
            act.ticket, event, kind="lifting", body="", person_ids=readers_of(act.ticket)
        )
        enqueue(told, now=act.now)
        return lifting


def confirm_unrestrict(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Lift the restriction that somebody else has proposed to lift; everybody may know again.

    The clearances end with it. Raises Forbidden by the access table, Conflict when nobody has
    proposed it, or nobody but the actor.
    """
    with acting(ticket, actor=actor, action="unrestrict", clock=clock, via=via) as act:
        _require_restricted(act.ticket)
        lifting = _open_lifting(act.ticket)
        if lifting.proposer_id == actor.pk:
            raise Conflict("same_person", "You proposed it yourself; a second person confirms it.")
        lifting.confirmer, lifting.confirmed_at = actor, act.now
        lifting.save(update_fields=["confirmer", "confirmed_at"])
        Clearance.every.filter(ticket=act.ticket.pk).delete()
        act.ticket.restricted = False
        act.record(
            EventKind.UNRESTRICTED,
            facts={"state": "lifted", "proposer": lifting.proposer_id},
        )
        return act.ticket


def withdraw_unrestrict(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Take a proposal to lift the restriction back, or turn it down: it stays as it is."""
    with acting(ticket, actor=actor, action="unrestrict", clock=clock, via=via) as act:
        _open_lifting(act.ticket).delete()
        act.record(EventKind.UNRESTRICTED, facts={"state": "withdrawn"})
        return act.ticket


def _open_lifting(ticket: Ticket) -> Lifting:
    rows = Lifting.objects.filter(ticket=ticket.pk, confirmed_at=None)
    lifting = rows.select_for_update(of=("self",)).first()
    if lifting is None:
        raise Conflict("not_proposed", "Nobody has proposed to lift the restriction.")
    return lifting


def readers_of(ticket: Ticket) -> list[int]:
    """Who is cleared for the case at this moment."""
    rows = Clearance.objects.filter(ticket=ticket.pk).order_by("id")
    return list(rows.values_list("person_id", flat=True))


def _require_restricted(ticket: Ticket) -> None:
    if not ticket.restricted:
        raise Conflict("not_restricted", f"{ticket.key} is not restricted.")
