"""Simulations as long jobs: asked for, watched while they run, read when they are done."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import PK, Deed, Subject
from escalation.models import Policy
from insights.models import Simulation
from insights.simulation import asking
from roles.models import Person
from roles.models.tokens import Scope
from roles.refusals import Conflict, Invalid


class SimulationView(serializers.ModelSerializer):
    """One simulation and how far it has come; `progress` runs from 0 to 1."""

    policy: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    asked_by = PersonRef(read_only=True, allow_null=True)
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Simulation
        fields: tuple[str, ...] = (
            *("id", "policy", "since", "until", "asked_by", "asked_at", "state", "total"),
            *("done", "progress", "ended_at", "trouble"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.FloatField(min_value=0, max_value=1))
    def get_progress(self, simulation: Simulation) -> float:
        """The share of tickets played."""
        if simulation.state == Simulation.State.DONE:
            return 1.0
        return min(1.0, simulation.done / simulation.total) if simulation.total else 0.0


class SimulationDetail(SimulationView):
    """One simulation with its report, once it is done."""

    report = serializers.DictField()

    class Meta(SimulationView.Meta):
        fields = (*SimulationView.Meta.fields, "report")
        read_only_fields = fields


class SimulationAsking(StrictSerializer):
    """Which tickets of ours, by when they were opened, and what plays: a draft, a file, or today's.

    Today's policies are always played beside it.
    """

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    policy = Text(max_length=80, required=False, allow_null=True, help_text="Its draft is played.")
    file = Text(
        max_length=900_000,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A policy-as-code document in YAML.",
    )


def _ask(*, actor: Person, policy: str | None = None, **given: Any) -> Simulation:
    found = None
    if policy:
        found = Policy.objects.filter(slug=policy).first()
        if found is None:
            told = {"policy": "There is no policy of this name."}
            raise Invalid("unknown_policy", "There is no such policy.", told)
    return asking.ask(actor=actor, policy=found, **given)


def _stop(*, simulation: Simulation, actor: Person) -> bool:
    if not asking.stop(simulation=simulation, actor=actor):
        raise Conflict("ended", "It has ended already.")
    return True


SUBJECTS: Final = (
    Subject(
        slug="simulations",
        summary="Simulations of policies over this site's own past.",
        view=SimulationView,
        one=SimulationDetail,
        by=PK,
        rows=lambda reader: Simulation.objects.select_related("policy", "asked_by"),
        orders={"-id": Order("pk", True), "id": Order("pk")},
        is_called="simulation",
        reads="manage_policies",
        read_scope=Scope.ADMIN_READ,
        make=Deed(
            summary="Ask for one: it runs by itself, and `state` and `progress` tell how far.",
            perform=_ask,
            body=SimulationAsking,
            needs="manage_policies",
            status=202,
        ),
        deeds=(Deed(slug="stop", summary="Stop it.", perform=_stop, needs="manage_policies"),),
    ),
)
