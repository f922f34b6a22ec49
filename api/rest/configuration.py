"""The site's configuration as one YAML file: read, compared, applied whole or not at all."""

from collections.abc import Mapping
from typing import IO, Any, Final

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies import REST_BYTES_MAX, read_limited
from api.errors import BadParameter
from api.idempotency import once
from api.rest.headers import IDEMPOTENCY
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.views import read_params
from escalation.configuration.applying import Outcome, apply_text, export_site, plan_text
from escalation.configuration.document import BadFile
from escalation.configuration.planning import sections_of
from escalation.models import Policy
from roles.models.tokens import Scope
from roles.people import require
from roles.refusals import Invalid

YAML: Final = "application/yaml"


class YamlText(BaseParser):
    """The body as text; what it means is read by whoever knows configuration."""

    media_type = YAML

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> str:
        """The text. Raises TooLarge, and Invalid for what is not UTF-8."""
        try:
            return read_limited(stream, REST_BYTES_MAX).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Invalid("not_utf8", "The file is not in UTF-8.") from None


class TouchedView(serializers.Serializer):
    """Open tickets that stay on a revision that is replaced."""

    policy = serializers.CharField()
    keys = serializers.ListField(child=serializers.CharField())


class OutcomeView(serializers.Serializer):
    """What applying the file changes, line by line; the token names this very plan."""

    applied = serializers.BooleanField(source="is_applied")
    summary = serializers.CharField(source="plan.summary")
    lines = serializers.ListField(child=serializers.CharField())
    changes = serializers.SerializerMethodField()
    touched = TouchedView(many=True)
    token = serializers.CharField(source="plan.token")

    def get_changes(self, outcome: Outcome) -> int:
        """How many items."""
        return len(outcome.plan.changes)


class Reading(StrictSerializer):
    """Which sections, separated by commas; without it all of them."""

    only = Text(max_length=500, required=False)


class ConfigPlanning(StrictSerializer):
    """`prune` switches off what a section of the file does not list."""

    prune = serializers.BooleanField(required=False, default=False)


class ConfigApplying(ConfigPlanning):
    """Why, for the audit; and the plan's token, so that nothing else is done than it showed."""

    reason = Text(max_length=500, required=False, allow_blank=True)
    token = Text(max_length=100, required=False)


class Configuration(Resource):
    read_scope = Scope.ADMIN_READ
    write_scope = Scope.ADMIN_WRITE
    serializer_class = OutcomeView
    queryset = Policy.objects.none()
    parser_classes = [YamlText]

    def outcome(self, **given: Any) -> Response:
        """What the file comes to. Raises Invalid with every mistake, by its line."""
        text = self.request.data if isinstance(self.request.data, str) else ""
        try:
            found = (
                plan_text(text=text, **given) if not self.writes else apply_text(text=text, **given)
            )
        except BadFile as bad:
            told = {str(number): line for number, line in enumerate(bad.lines("file"), start=1)}
            raise Invalid("bad_file", f"{bad}; nothing was changed.", told) from None
        return Response(self.show(found))

    writes = False


class Export(Configuration):
    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What may be asked."""
        return tuple(Reading().fields)

    @extend_schema(
        operation_id="config_export",
        parameters=[Reading],
        responses={(200, YAML): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The site's configuration as YAML."""
        require(request.user, "manage_policies")
        wanted = read_params(self, Reading).get("only", "")
        try:
            only = sections_of([name for name in wanted.split(",") if name])
        except ValueError as unknown:
            raise BadParameter({"only": str(unknown)}) from None
        return HttpResponse(export_site(actor=request.user, only=only), content_type=YAML)


class Plan(Configuration):
    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What may be asked."""
        return tuple(ConfigPlanning().fields)

    @extend_schema(
        operation_id="config_plan",
        parameters=[ConfigPlanning, IDEMPOTENCY],
        request={YAML: OpenApiTypes.STR},
        responses={200: OutcomeView},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """What applying the file would change; nothing is."""
        require(request.user, "manage_policies")
        asked = read_params(self, ConfigPlanning)
        return once(request, lambda: self.outcome(actor=request.user, **asked))


class Apply(Configuration):
    writes = True

    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What may be asked."""
        return tuple(ConfigApplying().fields)

    @extend_schema(
        operation_id="config_apply",
        parameters=[ConfigApplying, IDEMPOTENCY],
        request={YAML: OpenApiTypes.STR},
        responses={200: OutcomeView},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Make the site what the file says, all of it or nothing."""
        require(request.user, "manage_policies")
        asked = read_params(self, ConfigApplying)
        return once(request, lambda: self.outcome(actor=request.user, **asked))
