"""What is under way beside ordinary tickets: majors, changes, problems, cases; and the glass."""

from typing import Any, Final

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from api.idempotency import once
from api.paging import Order
from api.rest.dossier import ChangeView, MajorView, ProblemView
from api.rest.headers import IDEMPOTENCY
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.subject import INSIDE, Subject
from api.rest.tickets import TicketDetail, answer_ticket
from roles.models import Person
from roles.models.tokens import Scope
from roles.people import require
from tickets.clearance import LONGEST_GLASS_HOURS, break_glass
from tickets.models import Change, Major, Problem, Ticket

BY_KEY: Final = {"-ticket": Order("pk", True), "ticket": Order("pk")}


def _of_seen(model: Any, *around: str) -> Any:
    def rows(reader: Person) -> Any:
        seen = Ticket.objects.visible_to(reader)
        return model.objects.filter(ticket__in=seen).select_related("ticket", *around)

    return rows


SUBJECTS: Final = (
    Subject(
        slug="majors",
        summary="Major incidents, proposed ones too; acts on them stand at their tickets.",
        view=MajorView,
        by="",
        rows=_of_seen(Major, "proposer", "manager", "coordinator", "technical_lead", "scribe"),
        orders=BY_KEY,
        reads=INSIDE,
        read_scope=Scope.TICKETS_READ,
    ),
    Subject(
        slug="changes",
        summary="Changes; acts on them stand at their tickets.",
        view=ChangeView,
        by="",
        rows=_of_seen(Change, "author", "submitted_by", "decided_by"),
        orders=BY_KEY,
        reads=INSIDE,
        read_scope=Scope.TICKETS_READ,
    ),
    Subject(
        slug="problems",
        summary="Problems; acts on them stand at their tickets.",
        view=ProblemView,
        by="",
        rows=_of_seen(Problem),
        orders=BY_KEY,
        reads=INSIDE,
        read_scope=Scope.TICKETS_READ,
    ),
)


class Breaking(StrictSerializer):
    """Which case, why it cannot wait, and for how many hours."""

    key = Text(max_length=20)
    reason = Text(max_length=2000)
    hours = serializers.IntegerField(min_value=1, max_value=LONGEST_GLASS_HOURS, required=False)


class Glass(Resource):
    serializer_class = TicketDetail
    queryset = Ticket.objects.none()

    @extend_schema(
        operation_id="break_glass",
        request=Breaking,
        parameters=[IDEMPOTENCY],
        responses={200: TicketDetail},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Open a case in an emergency: on record, for some hours; everybody cleared is told."""
        require(request.user, "break_glass")

        def act() -> Any:
            given = self.read(Breaking)
            return answer_ticket(request, break_glass(actor=request.user, via="api", **given).key)

        return once(request, act)
