"""Whether the service is well, for programs that watch it: as JSON, or as text for Prometheus."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies import FastJSON
from api.paging import Whole
from api.rest.resource import Resource
from insights.operations.board import Operations, look_around
from insights.operations.reading import Reading, State
from roles.instants import database_now
from roles.models import AuditEntry
from roles.models.tokens import Scope
from roles.people import require

GRADES: Final[Mapping[str, int]] = {State.BAD: 2, State.WATCH: 1, State.GOOD: 0, State.PLAIN: 0}
STATES: Final = [
    (State.BAD.value, "Needs somebody now"),
    (State.WATCH.value, "Can wait for the morning"),
    (State.GOOD.value, "Is well"),
    (State.PLAIN.value, "A plain fact"),
]


class ReadingView(serializers.Serializer):
    """One reading; `seconds` for lengths of time, `number` for counts, `text` for all else."""

    name = serializers.CharField()
    part = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    seconds = serializers.FloatField(allow_null=True)
    number = serializers.FloatField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    remedy = serializers.CharField(allow_blank=True)


class OperationsView(serializers.Serializer):
    """The gravest state of all readings, and the readings."""

    state = serializers.ChoiceField(choices=STATES)
    readings = ReadingView(many=True)


class Metrics(BaseRenderer):
    """The same as Prometheus reads it (text exposition format 0.0.4)."""

    media_type = "text/plain"
    format = "metrics"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The lines; a refusal says its sentence."""
        if "readings" not in data:
            return str(data.get("detail", "")).encode()
        return "".join(f"{line}\n" for line in metric_lines(data)).encode()


def metric_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Two gauges: the measure of each reading that has one, and how grave each is (0, 1 or 2)."""
    yield "# HELP tierline_reading What is measured: seconds where the name ends in _s."
    yield "# TYPE tierline_reading gauge"
    for each in told["readings"]:
        number = each["number"] if each["seconds"] is None else each["seconds"]
        if number is not None:
            yield f'tierline_reading{{name="{each["name"]}",part="{each["part"]}"}} {number:g}'
    yield "# HELP tierline_state How grave it is: 0 well, 1 for the morning, 2 now."
    yield "# TYPE tierline_state gauge"
    yield f'tierline_state{{name="all",part=""}} {GRADES[told["state"]]}'
    for each in told["readings"]:
        grade = GRADES[each["state"]]
        yield f'tierline_state{{name="{each["name"]}",part="{each["part"]}"}} {grade}'


class OperationsNow(Resource):
    read_scope = Scope.ADMIN_READ
    serializer_class = OperationsView
    queryset = AuditEntry.objects.none()
    pagination_class = Whole
    renderer_classes = [FastJSON, Metrics]

    @extend_schema(
        operation_id="operations",
        tags=["operations"],
        responses={
            (200, "application/json"): OperationsView,
            (200, "text/plain"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> Response:
        """Whether the service is well: engine, messages, queues, doors, database, versions."""
        require(request.user, "see_audit")
        return Response(as_data(look_around(database_now())))


def as_data(around: Operations) -> dict[str, Any]:
    """The readings as plain values."""
    readings = [_plain(part.slug, each) for part in around.parts for each in part.readings]
    return {"state": around.state.value, "readings": readings}


def _plain(part: str, each: Reading) -> dict[str, Any]:
    is_span = each.slug.endswith("_s")
    return {
        "name": each.slug,
        "part": part,
        "state": each.state.value,
        "seconds": each.number if is_span else None,
        "number": None if is_span else each.number,
        "text": None if is_span or each.number is not None else each.words,
        "remedy": each.remedy,
    }
