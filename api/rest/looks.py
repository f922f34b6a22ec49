"""What else can be read of one ticket: each look is one line here and one address."""

from collections.abc import Callable
from typing import Any, Final

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Whole
from api.rest import dossier
from api.rest.acts import require_one
from api.rest.alerting import AlertView
from api.rest.resource import FIELDS, Resource
from api.rest.subject import Look
from api.rest.tickets import ticket_of
from api.rest.views import answer_look, query_of, read_params
from escalation import calling, routes, why
from escalation.models import Engagement, Run
from insights.similar import similar_to
from notifications.models import Message
from roles.instants import database_now
from roles.models import Person
from tickets import canned, runbooks
from tickets.models import (
    Alert,
    Change,
    Clearance,
    Feedback,
    Involvement,
    Lifting,
    Major,
    Notice,
    Problem,
    ReceivedMail,
    Ticket,
    TicketLink,
    Watcher,
)
from tickets.queries import discreet, hidden_keys, without


def _only(rows: Any) -> Any:
    found = rows.first()
    if found is None:
        raise Http404
    return found


def _links(ticket: Ticket, reader: Person) -> list[dict[str, Any]]:
    seen = Ticket.objects.visible_to(reader)
    out = TicketLink.objects.filter(source=ticket.pk, target__in=seen).select_related("target")
    back = TicketLink.objects.filter(target=ticket.pk, source__in=seen).select_related("source")
    near = [{"relation": row.relation, "outward": True, "other": row.target} for row in out]
    far = [{"relation": row.relation, "outward": False, "other": row.source} for row in back]
    return [*near, *far]


def _of_ticket(model: Any, *around: str, order: str = "id") -> Callable[[Ticket, Person], Any]:
    return lambda ticket, reader: (
        model.objects.filter(ticket=ticket.pk).select_related(*around).order_by(order)
    )


def _one_of_ticket(model: Any, *around: str) -> Callable[[Ticket, Person], Any]:
    return lambda ticket, reader: _only(
        model.objects.filter(ticket=ticket.pk).select_related("ticket", *around)
    )


def _involved(ticket: Ticket, reader: Person) -> Any:
    rows = Involvement.objects.filter(ticket=ticket.pk, left_at=None)
    return rows.select_related("person").order_by("id")


def _alerts(ticket: Ticket, reader: Person) -> Any:
    rows = Alert.objects.filter(ticket=ticket.pk).select_related("source", "ticket")
    return rows.order_by("-id")[:ALERTS_MAX]


def _whom(ticket: Ticket, reader: Person) -> routes.Panel:
    return routes.panel(ticket, reader, database_now())


def _explain(ticket: Ticket, reader: Person) -> dict[str, list[str]]:
    told = {
        "escalated": why.why_escalated(ticket),
        "unpaged": why.why_nobody_was_paged(ticket, database_now()),
    }
    return {name: [discreet(line, reader) for line in lines] for name, lines in told.items()}


def _messages(ticket: Ticket, reader: Person) -> Any:
    rows = Message.objects.filter(topic=ticket.topic).select_related("recipient")
    return rows.order_by("-id")[:500]


def _mails(ticket: Ticket, reader: Person) -> list[ReceivedMail]:
    rows = ReceivedMail.objects.filter(ticket=ticket.pk).select_related("source", "person")
    found = list(rows.defer("raw", "html").order_by("-id")[:MAILS_MAX])
    told = ("subject", "text", "rest", "reason")
    hidden = hidden_keys((getattr(mail, name) for mail in found for name in told), reader)
    for mail in found:
        for name in told:
            setattr(mail, name, without(getattr(mail, name), hidden))
    return found


def _canned(ticket: Ticket, reader: Person) -> list[dict[str, str]]:
    return [
        {"name": text.name, "text": canned.filled(text.text, person=reader, ticket=ticket)}
        for text in canned.canned_texts(reader, ticket)
    ]


ALERTS_MAX: Final = 500
MAILS_MAX: Final = 200
_DECIDED: Final = ("proposer", "manager", "coordinator", "technical_lead", "scribe")


def _look(
    slug: str,
    summary: str,
    read: Callable[..., Any],
    answer: Any,
    *,
    many: bool = True,
    needs: str = "see_internal",
) -> Look:
    return Look(slug=slug, summary=summary, read=read, answer=answer, many=many, needs=needs)


LOOKS: Final = (
    _look("links", "Tickets that it is linked with.", _links, dossier.LinkView, needs=""),
    _look("watchers", "Who follows it.", _of_ticket(Watcher, "person"), dossier.SinceView),
    _look("involved", "Who helps on it.", _involved, dossier.SinceView),
    _look("alerts", "What monitors say of it.", _alerts, AlertView),
    _look(
        "major",
        "Its record as a major incident.",
        _one_of_ticket(Major, *_DECIDED),
        dossier.MajorDetail,
        many=False,
    ),
    _look(
        "change",
        "Its plan as a change.",
        _one_of_ticket(Change, "author", "submitted_by", "decided_by"),
        dossier.ChangeView,
        many=False,
    ),
    _look(
        "problem",
        "What is known of it as a problem.",
        _one_of_ticket(Problem),
        dossier.ProblemDetail,
        many=False,
    ),
    _look(
        "clearances",
        "Who may know of the case.",
        _of_ticket(Clearance, "person"),
        dossier.ClearanceView,
        needs="see_restricted",
    ),
    _look(
        "liftings",
        "Proposals to lift its restriction.",
        _of_ticket(Lifting, "proposer", "confirmer"),
        dossier.LiftingView,
        needs="see_restricted",
    ),
    _look(
        "notices",
        "What authorities must be told.",
        _of_ticket(Notice, "owed_by", "given_by"),
        dossier.NoticeView,
    ),
    _look(
        "engagements",
        "Calls on vendors.",
        _of_ticket(Engagement, "vendor"),
        dossier.EngagementView,
    ),
    _look(
        "runs",
        "Its climbs.",
        _of_ticket(Run, "policy", "revision", "next_step", order="-id"),
        dossier.RunView,
    ),
    _look(
        "callable-steps",
        "Steps that can be called.",
        lambda ticket, reader: calling.callable_steps(ticket),
        dossier.StepChoice,
    ),
    _look(
        "checklists",
        "Runbooks that apply.",
        runbooks.checklists,
        dossier.ChecklistView,
    ),
    _look("feedback", "The requester's mark.", _of_ticket(Feedback), dossier.FeedbackView),
    _look("whom", "Whom to escalate to.", _whom, dossier.WhomView, many=False),
    _look(
        "explain",
        "Why it was escalated, and why nobody was paged.",
        _explain,
        dossier.ExplainView,
        many=False,
    ),
    _look("mails", "Mails that came to it, newest first.", _mails, dossier.MailView),
    _look("messages", "Messages about it, newest first.", _messages, dossier.MessageOfTicket),
    _look(
        "similar", "Tickets that sound like it, solved ones first.", similar_to, dossier.SimilarView
    ),
    _look("canned", "Texts kept ready, filled in for it.", _canned, dossier.CannedView),
)


class TicketLook(Resource):
    """One more thing that can be read of a ticket."""

    queryset = Ticket.objects.none()
    pagination_class = Whole
    look: Look

    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What the look declares."""
        return (FIELDS, *self.look.params().fields)

    def tell(self, request: Request, key: str) -> Response:
        """What the look finds."""
        ticket = ticket_of(request, key)
        require_one(request, ticket, (self.look.needs,) if self.look.needs else ())
        params = read_params(self, self.look.params)
        return answer_look(self, self.look, self.look.read(ticket, request.user, **params))


def view_of(look: Look) -> type[TicketLook]:
    """The view class of one look."""

    def get(self: TicketLook, request: Request, key: str) -> Response:
        return self.tell(request, key)

    verb = look.slug.replace("-", "_")
    describe = extend_schema(
        operation_id=f"tickets_{verb}",
        description=look.summary,
        parameters=query_of(look.params),
        responses=look.answer(many=True) if look.many else look.answer,
    )
    members = {
        "look": look,
        "serializer_class": look.answer,
        "get": describe(get),
        "__doc__": look.summary,
    }
    return type(f"tickets_{verb}", (TicketLook,), members)
