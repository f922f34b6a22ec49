"""Who is on call: schedules with their layers, overrides that win over them, and swaps."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.rest.calendars import Hours
from api.rest.catalog import BY_NAME, BY_NUMBER, PersonRef
from api.rest.references import PersonName, TeamName
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, PK, Deed, Look, Subject
from api.rest.teams import GapView, ShiftView, Span, gaps_of, shifts_of
from escalation.standing_in import answer, offer, put_in, take_back
from roles.hours import format_hours
from roles.models import Override, Person, Schedule, ScheduleRevision, Swap, Team
from roles.models.tokens import Scope
from roles.refusals import Conflict, Invalid
from roles.rosters import LayerSpec, layers_of, newest_revision, publish_schedule, set_schedule

REASON: Final = 500


class LayerView(serializers.Serializer):
    """One layer: people who take turns. A later layer wins over those before it."""

    name = serializers.CharField()
    people = serializers.SerializerMethodField()
    starts_on = serializers.DateField()
    handover_time = serializers.TimeField()
    handover_weekday = serializers.IntegerField(help_text="0 is Monday.")
    shift_days = serializers.IntegerField(allow_null=True)
    shift_hours = serializers.IntegerField(allow_null=True)
    zone = serializers.CharField(help_text='"" is the schedule\'s own.')
    hours = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_people(self, layer: LayerSpec) -> list[str]:
        """User names in the order of their turns."""
        return [person.username for person in layer.people]

    @extend_schema_field(serializers.CharField())
    def get_hours(self, layer: LayerSpec) -> str:
        """The weekly hours to which it is limited; "" is all of the time."""
        return format_hours(layer.restrictions)


class ScheduleView(serializers.ModelSerializer):
    """A team's on-call schedule."""

    team: Any = serializers.SlugRelatedField("slug", read_only=True)

    class Meta:
        model = Schedule
        fields: tuple[str, ...] = ("team", "name", "zone")
        read_only_fields = fields


class ScheduleDetail(ScheduleView):
    """A schedule with the layers published last, which may begin only later."""

    revision = serializers.SerializerMethodField()
    valid_from = serializers.SerializerMethodField()
    layers = serializers.SerializerMethodField()

    class Meta(ScheduleView.Meta):
        fields = (*ScheduleView.Meta.fields, "revision", "valid_from", "layers")
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_revision(self, schedule: Schedule) -> int | None:
        """Its number."""
        newest = _newest(schedule)
        return newest.number if newest else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_valid_from(self, schedule: Schedule) -> Any:
        """Since when it holds."""
        newest = _newest(schedule)
        return newest.valid_from if newest else None

    @extend_schema_field(LayerView(many=True))
    def get_layers(self, schedule: Schedule) -> Any:
        """The layers, lowest first."""
        newest = _newest(schedule)
        return LayerView(layers_of(newest), many=True).data if newest else []


def _newest(schedule: Any) -> ScheduleRevision | None:
    """The newest revision, kept on the instance: several members of one answer ask for it."""
    if not hasattr(schedule, "_newest"):
        schedule._newest = newest_revision(schedule)
    found: ScheduleRevision | None = schedule._newest
    return found


class Layer(StrictSerializer):
    """One layer of people who take turns; give the shift's length in days or in hours."""

    name = Text(max_length=200)
    people = serializers.ListField(child=PersonName(), min_length=1, max_length=100)
    starts_on = serializers.DateField()
    handover_time = serializers.TimeField()
    handover_weekday = serializers.IntegerField(min_value=0, max_value=6, required=False)
    shift_days = serializers.IntegerField(required=False, allow_null=True)
    shift_hours = serializers.IntegerField(required=False, allow_null=True)
    zone = Text(max_length=64, required=False, allow_blank=True)
    hours = Hours(required=False, source="restrictions")


class LayersBody(StrictSerializer):
    """All layers of the new revision, lowest first; it holds from `valid_from`, or from now."""

    layers = Layer(many=True)
    valid_from = serializers.DateTimeField(required=False, allow_null=True)
    reason = Text(max_length=REASON, required=False, allow_blank=True)


class ScheduleBody(StrictSerializer):
    """The zone that a schedule is kept in, and what it is called."""

    zone = Text(max_length=64, help_text="Such as Europe/Berlin.")
    name = Text(max_length=200, required=False, allow_blank=True)


class NewSchedule(ScheduleBody):
    """A team's one schedule."""

    team = TeamName()


class OverrideView(serializers.ModelSerializer):
    """Somebody who serves in place of the layers for a while."""

    team = serializers.CharField(source="schedule.team.slug", read_only=True)
    person = PersonRef(read_only=True)
    start = serializers.DateTimeField(source="during.lower", read_only=True)
    end = serializers.DateTimeField(source="during.upper", read_only=True)

    class Meta:
        model = Override
        fields = ("id", "team", "person", "start", "end", "reason", "created_at")
        read_only_fields = fields


class PuttingIn(StrictSerializer):
    """Who serves for which team, from when to when, and why."""

    team = TeamName()
    person = PersonName()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    reason = Text(max_length=REASON, required=False, allow_blank=True)


class SwapView(serializers.ModelSerializer):
    """A shift that one person offers another, perhaps for one of theirs."""

    team = serializers.CharField(source="schedule.team.slug", read_only=True)
    giver = PersonRef(read_only=True)
    taker = PersonRef(read_only=True)
    start = serializers.DateTimeField(source="during.lower", read_only=True)
    end = serializers.DateTimeField(source="during.upper", read_only=True)
    return_start = serializers.DateTimeField(
        source="in_return.lower", read_only=True, allow_null=True, default=None
    )
    return_end = serializers.DateTimeField(
        source="in_return.upper", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Swap
        fields = (
            *("id", "team", "giver", "taker", "start", "end", "return_start", "return_end"),
            *("state", "reason", "requested_at", "answered_at"),
        )
        read_only_fields = fields


class Offering(StrictSerializer):
    """Whose hours whom to serve; with hours of the other in return, or without."""

    team = TeamName()
    giver = PersonName()
    taker = PersonName()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    return_start = serializers.DateTimeField(required=False, allow_null=True)
    return_end = serializers.DateTimeField(required=False, allow_null=True)
    reason = Text(max_length=REASON, required=False, allow_blank=True)


def _make(*, team: Team, **given: Any) -> Schedule:
    if Schedule.objects.filter(team=team).exists():
        raise Conflict("has_schedule", f"{team} has a schedule already: change that one.")
    return set_schedule(team=team, **given)


def _rename(*, schedule: Schedule, actor: Person, **given: Any) -> Schedule:
    kept = {"zone": schedule.zone, "name": schedule.name}
    return set_schedule(team=schedule.team, actor=actor, **{**kept, **given})


def _publish(*, schedule: Schedule, layers: Any, **given: Any) -> ScheduleRevision:
    specs = [LayerSpec(**layer) for layer in layers]
    return publish_schedule(schedule=schedule, layers=specs, **given)


def _schedule_of(team: Team) -> Schedule:
    found = Schedule.objects.select_related("team").filter(team=team).first()
    if found is None:
        told = {"team": f"{team} has no schedule."}
        raise Invalid("no_schedule", "This team has no schedule.", told)
    return found


def _put_in(*, team: Team, **given: Any) -> Override:
    return put_in(schedule=_schedule_of(team), **given)


def _offer(*, team: Team, start: Any, end: Any, **given: Any) -> Swap:
    back = given.pop("return_start", None), given.pop("return_end", None)
    if (back[0] is None) != (back[1] is None):
        raise Invalid("half_return", "Give both ends of the hours in return, or neither.")
    in_return = None if back[0] is None else back
    return offer(schedule=_schedule_of(team), during=(start, end), in_return=in_return, **given)


def _say(slug: str, verb: str, summary: str) -> Deed:
    def perform(*, swap: Swap, actor: Person) -> Swap:
        return answer(swap=swap, verb=verb, actor=actor)

    return Deed(slug=slug, summary=summary, perform=perform)


def _of_schedule(read: Any) -> Any:
    return lambda schedule, reader, **span: read(schedule.team, reader, **span)


SUBJECTS: Final = (
    Subject(
        slug="schedules",
        summary="On-call schedules, each known by its team.",
        view=ScheduleView,
        one=ScheduleDetail,
        by="team__slug",
        rows=lambda reader: Schedule.objects.select_related("team"),
        orders=BY_NAME,
        is_called="schedule",
        reads=INSIDE,
        write_scope=Scope.ROSTER_WRITE,
        make=Deed(
            summary="A team's schedule; its layers are published next.",
            perform=_make,
            body=NewSchedule,
            status=201,
        ),
        change=Deed(summary="Rename it, or change its zone.", perform=_rename, body=ScheduleBody),
        deeds=(Deed(slug="publish", summary="Publish layers.", perform=_publish, body=LayersBody),),
        looks=(
            Look(
                slug="shifts",
                summary="Final shifts: layers, overrides and swaps taken together.",
                read=_of_schedule(shifts_of),
                answer=ShiftView,
                params=Span,
            ),
            Look(
                slug="gaps",
                summary="When nobody is on call.",
                read=_of_schedule(gaps_of),
                answer=GapView,
                params=Span,
            ),
        ),
    ),
    Subject(
        slug="overrides",
        summary="Stretches that somebody serves in place of the layers.",
        view=OverrideView,
        by=PK,
        rows=lambda reader: Override.objects.select_related("schedule__team", "person"),
        orders={"-id": BY_NUMBER["-id"], "id": BY_NUMBER["id"]},
        is_called="override",
        reads=INSIDE,
        write_scope=Scope.ROSTER_WRITE,
        make=Deed(summary="Put somebody in.", perform=_put_in, body=PuttingIn, status=201),
        remove=Deed(summary="Give the rest of it back to the layers.", perform=take_back),
    ),
    Subject(
        slug="swaps",
        summary="Shifts that people offer each other.",
        view=SwapView,
        by=PK,
        rows=lambda reader: Swap.objects.select_related("schedule__team", "giver", "taker"),
        orders={"-id": BY_NUMBER["-id"], "id": BY_NUMBER["id"]},
        is_called="swap",
        reads=INSIDE,
        write_scope=Scope.ROSTER_WRITE,
        make=Deed(summary="Offer a shift.", perform=_offer, body=Offering, status=201),
        deeds=(
            _say("accept", "accept", "Agree, as the one who is asked."),
            _say("decline", "decline", "Decline, as the one who is asked."),
            _say("withdraw", "withdraw", "Take the offer back."),
        ),
    ),
)
