"""What a receiver asks for before it takes work: contracts per edge, their answers and debts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from escalation.models import Escalation, HandoverContract, HandoverNeed
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.people import require
from roles.refusals import Conflict, Invalid
from tickets.acting import acting, fitting
from tickets.models import EventKind, Ticket

ANSWER_MAX: Final = 20_000
URGENT: Final = (1, 2)
"""Priorities at which a contract may be skipped, and is owed instead."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a receiver asks for."""

    slug: str
    name: str
    required: bool = True

    @property
    def plain(self) -> dict[str, str]:
        """As a record keeps it once it is owed, whatever becomes of the contract."""
        return {"slug": self.slug, "name": self.name}


class Contracts:
    """The active contracts of some receiving teams: one query for any number of edges."""

    def __init__(self, to_team_ids: Iterable[int]) -> None:
        rows = HandoverContract.objects.filter(to_team__in=set(to_team_ids), is_active=True)
        asked = rows.order_by("needs__position").values_list(
            "from_team_id", "to_team_id", "needs__slug", "needs__name", "needs__required"
        )
        self._needs: dict[tuple[int | None, int], list[Need]] = {}
        for from_team_id, to_team_id, slug, name, is_required in asked:
            held = self._needs.setdefault((from_team_id, to_team_id), [])
            if slug is not None:  # a contract may say that nothing is asked for
                held.append(Need(slug, name, is_required))

    def needs(self, from_team_id: int | None, to_team_id: int) -> list[Need]:
        """What the receiver asks this sender for, in order; the exact edge goes first."""
        own = self._needs.get((from_team_id, to_team_id))
        return own if own is not None else self._needs.get((None, to_team_id), [])


def missing(needs: Sequence[Need], answers: Mapping[str, str]) -> list[Need]:
    """The required needs that nobody has answered yet."""
    return [need for need in needs if need.required and not answers.get(need.slug, "").strip()]


def settle(
    needs: Sequence[Need], answers: Mapping[str, str], *, may_owe: bool
) -> list[dict[str, str]]:
    """What stays owed after these answers. Raises Invalid, by field, for what may not be owed."""
    lacking = missing(needs, answers)
    if lacking and not may_owe:
        raise Invalid(
            "handover_incomplete",
            "The team that receives it needs more: " + ", ".join(need.name for need in lacking),
            {need.slug: f"{need.name}: this team needs it." for need in lacking},
        )
    return [need.plain for need in lacking]


def clean_answers(needs: Sequence[Need], given: Mapping[str, str]) -> dict[str, str]:
    """The answers without outer blanks, empty ones left out.

    Raises Invalid for an answer that nobody asked for, is too long or holds NUL.
    """
    asked = {need.slug for need in needs}
    strangers = sorted(set(given) - asked)
    if strangers:
        raise Invalid(
            "unknown_need",
            "That is not asked for on this edge.",
            dict.fromkeys(strangers, "The receiver does not ask for this."),
        )
    stripped = {slug: fitting(text.strip(), slug, ANSWER_MAX) for slug, text in given.items()}
    return {slug: text for slug, text in stripped.items() if text}


def needs_between(from_team_id: int | None, to_team: Team) -> list[Need]:
    """What one team asks another for, in order."""
    return Contracts([to_team.pk]).needs(from_team_id, to_team.pk)


def _present(ticket: Ticket) -> QuerySet[Escalation]:
    return Escalation.objects.filter(
        ticket=ticket.pk, entry=ticket.entry, type=Escalation.Type.FUNCTIONAL
    )


def present_handover(ticket: Ticket) -> Escalation | None:
    """The hand-over that brought the ticket to its present team entry, for reading."""
    return _present(ticket).first()


def present_record(ticket: Ticket) -> Escalation | None:
    """The hand-over that brought the ticket to its present team entry, locked."""
    return _present(ticket).select_for_update(of=("self",)).first()


def complete_handover(
    *,
    ticket: Ticket,
    actor: Person,
    answers: Mapping[str, str],
    clock: TimeSource = database_now,
    via: str = "web",
) -> Escalation:
    """Give what the present hand-over still owes; the answers become an internal note.

    Anybody of the service who can write a note may pay, not the sender alone: what counts is that
    the receiver has it. Raises Conflict when nothing is owed, Invalid for answers not asked for.
    """
    with acting(ticket, actor=actor, action="comment_internal", clock=clock, via=via) as act:
        record = present_record(act.ticket)
        if record is None or not record.owed:
            raise Conflict("nothing_owed", f"Nothing is owed for {act.ticket.key}.")
        owed = [Need(item["slug"], item["name"]) for item in record.owed]
        paid = clean_answers(owed, answers)
        if not paid:
            raise Invalid(
                "required", "Nothing was given.", {need.slug: "This is owed." for need in owed}
            )
        record.answers = {**record.answers, **paid}
        record.owed = [need.plain for need in owed if need.slug not in paid]
        record.settled_at = None if record.owed else act.now
        record.save(update_fields=["answers", "owed", "settled_at"])
        act.record(
            EventKind.COMMENTED,
            body="\n\n".join(answer_lines(owed, paid)),
            facts={"escalation": record.pk, "paid": sorted(paid)},
        )
        return record


def answer_lines(needs: Sequence[Need], answers: Mapping[str, str]) -> list[str]:
    """The answers as the receiver reads them, in the order in which it asked."""
    return [f"{need.name}: {answers[need.slug]}" for need in needs if need.slug in answers]


@transaction.atomic
def set_contract(
    *,
    to_team: Team,
    needs: Sequence[Mapping[str, Any]],
    from_team: Team | None = None,
    is_active: bool = True,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> HandoverContract:
    """Write the whole contract of one edge; escalations under way keep what they owe.

    Each need is a mapping with slug, name and, unless it is required, `required: False`. An empty
    list means that nothing is asked for on this edge, whatever the receiver asks everybody else.
    Raises Forbidden, and Invalid by path such as "needs.2.name".
    """
    require(actor, "manage_policies")
    wrong = _problems(needs)
    if from_team is not None and from_team.pk == to_team.pk:
        wrong["from_team"] = "A team hands nothing over to itself."
    if wrong:
        raise Invalid("bad_contract", "The contract has mistakes.", wrong)
    contract, _ = HandoverContract.objects.select_for_update(of=("self",)).get_or_create(
        from_team=from_team, to_team=to_team
    )
    before = [need.name for need in contract.needs.all()]
    was_active, contract.is_active = contract.is_active, is_active
    contract.save(update_fields=["is_active"])
    contract.needs.all().delete()
    HandoverNeed.objects.bulk_create(
        [
            HandoverNeed(
                contract=contract,
                position=position,
                slug=need["slug"],
                name=need["name"],
                required=need.get("required", True),
            )
            for position, need in enumerate(needs, start=1)
        ]
    )
    audit.record(
        actor=actor,
        action="contract.set",
        subject=contract,
        changes={
            "needs": [before, [need["name"] for need in needs]],
            "is_active": [was_active, is_active],
        },
        clock=clock,
    )
    return contract


def _problems(needs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    problems: dict[str, str] = {}
    seen: set[str] = set()
    for number, need in enumerate(needs, start=1):
        slug, name = need.get("slug"), need.get("name")
        if not isinstance(slug, str) or not slug.replace("-", "").replace("_", "").isalnum():
            problems[f"needs.{number}.slug"] = "Letters, digits and hyphens."
        elif slug in seen:
            problems[f"needs.{number}.slug"] = "Asked for twice."
        if not isinstance(name, str) or not name.strip() or len(name) > 120:
            problems[f"needs.{number}.name"] = "A question of up to 120 characters."
        if not isinstance(need.get("required", True), bool):
            problems[f"needs.{number}.required"] = "Yes or no."
        seen.add(str(slug))
    return problems
