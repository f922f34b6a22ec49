"""One act on many tickets: each in a transaction of its own, each with its own result."""

from functools import partial
from typing import Any, Final

from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.idempotency import once
from api.problems import status_of
from api.rest.acts import Act, perform_act, require_one
from api.rest.headers import IDEMPOTENCY
from api.rest.register import ACTS, ACTS_BY_SLUG
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.tickets import ticket_of
from roles.refusals import Refused
from tickets import bulk
from tickets.models import Ticket

SLUGS: Final = [(act.slug, act.summary) for act in ACTS if not act.is_outside]
EXAMPLE: Final = OpenApiExample(
    "Put two on hold",
    request_only=True,
    value={
        "act": "pend",
        "keys": ["INC-000017", "INC-000018"],
        "body": {"status": "pending_vendor", "reason": "Waiting for the new firmware"},
    },
)


class BulkDoing(StrictSerializer):
    """An act by its address, the tickets, and the body that each would be sent."""

    act = serializers.ChoiceField(SLUGS)
    keys = serializers.ListField(child=Text(max_length=20), min_length=1, max_length=bulk.MOST)
    body = serializers.DictField(required=False, default=dict)


class Result(serializers.Serializer):
    """What became of one ticket; `status` is what the act alone would have answered."""

    key = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)


class Results(serializers.Serializer):
    """What became of each, in the order asked for.

    `bulk_act` is the number under which `bulk-acts` takes it back; null for an act that cannot be.
    """

    done = serializers.IntegerField(help_text="How many it was done to.")
    bulk_act = serializers.IntegerField(allow_null=True)
    results = Result(many=True)


class Bulk(Resource):
    serializer_class = Results
    queryset = Ticket.objects.none()

    @extend_schema(
        operation_id="tickets_bulk",
        request=BulkDoing,
        parameters=[IDEMPOTENCY],
        responses={200: Results},
        examples=[EXAMPLE],
        tags=["tickets"],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Do one act to many tickets. What one refuses harms no other."""
        return once(request, lambda: self._do_all(request))

    def _do_all(self, request: Request) -> Response:
        asked = self.read(BulkDoing)
        act = ACTS_BY_SLUG[asked["act"]]
        given = self.read_as(act.body, asked["body"])
        keys = dict.fromkeys(key.upper() for key in asked["keys"])
        done: list[bulk.Done] = []
        results = [self._do_one(request, act, key, given, done) for key in keys]
        refused = {each["key"]: each["detail"] for each in results if each["code"] is not None}
        kept = None
        if done and act.slug in bulk.UNDOS:
            kept = bulk.keep(act=act.slug, actor=request.user, done=done, refused=refused).pk
        count = len(results) - len(refused)
        return Response({"done": count, "bulk_act": kept, "results": results})

    @staticmethod
    def _do_one(
        request: Request, act: Act, key: str, given: dict[str, Any], done: list[bulk.Done]
    ) -> dict[str, Any]:
        """What became of one; how it stood, where that may be asked for, is added to `done`."""
        try:
            ticket = ticket_of(request, key)
            require_one(request, ticket, act.needs)
            perform = partial(perform_act, request, act, ticket, given)
            if act.slug in bulk.UNDOS:
                done.append(bulk.do_one(ticket=ticket, actor=request.user, perform=perform))
            else:
                perform()
        except Refused as refused:
            return _result(key, status_of(refused), refused.code, refused.detail)
        except Http404:
            return _result(key, 404, "not_found", bulk.UNSEEN)
        return _result(key, 200, None, None)


def _result(key: str, status: int, code: str | None, detail: str | None) -> dict[str, Any]:
    return {"key": key, "status": status, "code": code, "detail": detail}
