"""Reads one ticket with all that makes up its page, in few queries; nothing is asked twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject, Now
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from insights.models import Estimate
from notifications.models import Message, MessageState
from roles.models import Person, Team
from tickets.access import with_ties
from tickets.models import (
    Alert,
    Attachment,
    ChangeNotice,
    Draft,
    Involvement,
    Ticket,
    TicketLink,
    Watcher,
)
from tickets.scopes import SeenTicket
from web.standing import with_standing
from web.wording import worded_choices

AROUND: Final = (
    "requester__organisation",
    "team__tier",
    "team__calendar",
    "assignee",
    "owner",
    "owner_team",
    "acknowledged_by",
    "service__owner_team__tier",
    "category",
    "organisation",
)
SHOWN_ALERTS: Final = 20
SHOWN_CHANGES: Final = 5
CHANGES_BEFORE: Final = timedelta(days=1)
BACKWARD: Final[Mapping[str, str | Promise]] = {
    TicketLink.Relation.CHILD_OF: _("Parent of"),
    TicketLink.Relation.DUPLICATE_OF: _("Duplicated by"),
    TicketLink.Relation.CAUSED_BY: _("Cause of"),
    TicketLink.Relation.FOLLOWS: _("Followed by"),
    TicketLink.Relation.RELATED: pgettext_lazy("label", "Related to"),
}
"""How a link reads from its other end."""


def seen_by(person: Person) -> QuerySet[Ticket]:
    """The tickets that the person may see, with what stands around them and the present time."""
    now = Func(function="clock_timestamp", output_field=DateTimeField())
    seen = with_ties(Ticket.objects.visible_to(person), person)
    others = Ticket.objects.visible_to(person).order_by().values("pk")
    onward = TicketLink.objects.filter(source=OuterRef("pk"), target__in=others)
    back = TicketLink.objects.filter(target=OuterRef("pk"), source__in=others)
    return (
        with_standing(seen)
        .select_related(*AROUND)
        .annotate(
            read_at=now,
            is_linked=Exists(onward) | Exists(back),
            is_helping=Exists(
                Involvement.objects.filter(ticket=OuterRef("pk"), person=person.pk, left_at=None)
            ),
        )
    )


def visible_ticket(person: Person, key: str) -> Ticket:
    """The ticket of that key. Raises Http404 when there is none or the person may not see it."""
    return _found(SEEN.find(person, key))


def whole_ticket(person: Person, key: str) -> Ticket:
    """The same with its people, alerts, links and failed messages, still in one query."""
    found: Any = _found(WHOLE.find(person, key))
    for row in found.change_rows:
        row["at"] = datetime.fromisoformat(row["at"])
    whole: Ticket = found
    return whole


def _found(ticket: Ticket | None) -> Ticket:
    if ticket is None:
        raise Http404
    return ticket


def _whole(person: Person) -> QuerySet[Ticket]:
    return seen_by(person).annotate(
        watched_by=_people(Watcher.objects.filter(ticket=OuterRef("pk"))),
        helped_by=_people(Involvement.objects.filter(ticket=OuterRef("pk"), left_at=None)),
        alert_rows=_alerts(),
        change_rows=_changes(),
        links_on=_links(person, "source", "target"),
        links_back=_links(person, "target", "source"),
        drafts_here=_drafts(person),
        unsent_files=_unsent(person),
        erased_files=_erased(),
        estimates=_estimates(),
        has_pages=Exists(_about().filter(kind="page")),
        undelivered=Subquery(
            _about()
            .filter(state=MessageState.DEAD)
            .order_by()
            .values("topic")
            .annotate(number=Count("pk"))
            .values("number")
        ),
    )


SEEN: Final = SeenTicket(seen_by)
WHOLE: Final = SeenTicket(_whole)


def _estimates() -> ArraySubquery:
    """How likely it is to end badly: one estimate, or none while no model is good enough."""
    rows = Estimate.objects.filter(ticket=OuterRef("pk"), model__is_used=True)
    told = JSONObject(
        probability="probability", reasons="reasons", at="at", hit_rate="model__hit_rate20"
    )
    return ArraySubquery(rows.values(found=told))


def _people(rows: QuerySet[Any]) -> ArraySubquery:
    found = rows.order_by("since", "pk").values(
        found=JSONObject(id="person_id", name="person__name", username="person__username")
    )
    return ArraySubquery(found)


def _about() -> QuerySet[Message]:
    topic = Concat(Value("ticket:"), Cast(OuterRef("pk"), TextField()))
    return Message.objects.filter(topic=topic)


def _alerts() -> ArraySubquery:
    rows = Alert.objects.filter(ticket=OuterRef("pk")).order_by("-pk")[:SHOWN_ALERTS]
    told = JSONObject(summary="summary", state="state", count="count", source="source__name")
    return ArraySubquery(rows.values(found=told))


def _changes() -> ArraySubquery:
    """Changes of its service, or told of by its monitors, shortly before its opening and since."""
    concerned = Alert.objects.filter(ticket=OuterRef(OuterRef("pk"))).order_by().values("source")
    rows = ChangeNotice.objects.filter(
        Q(source__service=OuterRef("service")) | Q(source__in=concerned),
        at__gte=OuterRef("opened_at") - CHANGES_BEFORE,
        at__lte=Coalesce(OuterRef("resolved_at"), Now()),
    )
    told = JSONObject(summary="summary", origin="origin", at="at")
    return ArraySubquery(rows.order_by("-at").values(found=told)[:SHOWN_CHANGES])


def _drafts(person: Person) -> ArraySubquery:
    """What this person has begun to write here: one draft or none."""
    mine = Draft.objects.filter(ticket=OuterRef("pk"), person=person.pk)
    return ArraySubquery(mine.values(found=JSONObject(text="text", is_public="is_public")))


def _unsent(person: Person) -> ArraySubquery:
    """The files that wait for what this person writes."""
    mine = Attachment.objects.filter(ticket=OuterRef("pk"), uploader=person.pk, event=None)
    told = JSONObject(id="pk", name="name", size="size", type="media_type")
    return ArraySubquery(mine.order_by("pk").values(found=told))


def _erased() -> ArraySubquery:
    """The files of the ticket whose bytes are gone."""
    gone = Attachment.objects.filter(ticket=OuterRef("pk"), erased_at__isnull=False)
    return ArraySubquery(gone.order_by("pk").values("pk"))


def _links(person: Person, near: str, far: str) -> ArraySubquery:
    """The links that leave by `near`, each with what this person may see at the other end."""
    others = Ticket.objects.visible_to(person).order_by().values("pk")
    rows = TicketLink.objects.filter(Q(**{near: OuterRef("pk")}), Q(**{f"{far}__in": others}))
    other = {name: F(f"{far}__{name}") for name in ("key", "subject", "status", "kind", "priority")}
    return ArraySubquery(
        rows.order_by("pk").values(found=JSONObject(relation="relation", pk="pk", **other))
    )


@dataclass(frozen=True, slots=True)
class Linked:
    """Another ticket and how it belongs to this one, in words."""

    words: str
    relation: str
    key: str
    subject: str
    status: str


def links_of(ticket: Any) -> list[Linked]:
    """The links of a ticket read whole, those that lead on first."""
    forward = dict(worded_choices(TicketLink.Relation.choices))
    return [
        Linked(
            str(words[row["relation"]]), row["relation"], row["key"], row["subject"], row["status"]
        )
        for words, rows in ((forward, ticket.links_on), (BACKWARD, ticket.links_back))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Stop:
    """One team on the ticket's way, and when it came there."""

    name: str
    tier: Any
    since: datetime | None
    is_here: bool


def path_of(ticket: Ticket, escalations: Sequence[Any], teams: Mapping[int, Team]) -> list[Stop]:
    """The teams from the first to the present one, by the escalations that led on."""
    functional = [each for each in reversed(escalations) if each.type == "functional"]
    stops = []
    if functional:
        stops.append(_stop(teams[functional[0].from_team_id], ticket.opened_at))
    for each in functional:
        if each.to_team_id is not None:
            stops.append(_stop(teams[each.to_team_id], each.opened_at))
        if each.state == "handed_back":
            stops.append(_stop(teams[each.from_team_id], each.ended_at))
    if ticket.team_id is None:
        return stops
    here = teams[ticket.team_id]
    if stops and stops[-1].name == here.name:
        stops.pop()
    return [*stops, _stop(here, ticket.entered_at, is_here=True)]


def _stop(team: Team, since: datetime | None, *, is_here: bool = False) -> Stop:
    return Stop(team.name, team.tier, since, is_here)
