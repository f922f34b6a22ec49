"""Teams: who works where, who heads them, and who serves when."""

from datetime import datetime, timedelta
from typing import Any, Final

from rest_framework import serializers

from api.rest import contacts
from api.rest.catalog import BY_NAME, Guided, PersonRef, TeamDetail, TeamView
from api.rest.references import CalendarName, PersonName, TierName
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, Deed, Look, Subject, set_by
from roles.instants import database_now
from roles.models import Membership, Person, Team
from roles.oncall import final_shifts, gaps, on_call
from roles.places import set_team
from roles.teams import add_member, remove_member, set_heads

AHEAD: Final = timedelta(days=14)
LONGEST: Final = timedelta(days=400)


class TeamBody(Guided):
    """Where a team sits, by which hours it works, and what it says of itself."""

    name = Text(max_length=200)
    tier = TierName()
    calendar = CalendarName()
    email = serializers.EmailField(required=False, allow_blank=True)
    is_service_desk = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)


class NewTeam(TeamBody):
    """A team under its slug."""

    slug = serializers.SlugField(max_length=80)


class Joining(StrictSerializer):
    """Somebody who joins, as what."""

    person = PersonName()
    role = serializers.ChoiceField(Membership.Role.choices, required=False)


class Leaving(StrictSerializer):
    """Somebody who leaves, and why."""

    person = PersonName()
    reason = Text(max_length=500, required=False, allow_blank=True)


class Heads(StrictSerializer):
    """Who leads the team and who manages it; null for nobody."""

    lead = PersonName(allow_null=True)
    manager = PersonName(allow_null=True)


class Moment(StrictSerializer):
    """A moment; without it, now."""

    at = serializers.DateTimeField(required=False)


class Span(StrictSerializer):
    """From when to when; without them, the coming fortnight. A year at most."""

    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, datetime]:
        """Both ends. Raises ValidationError for a span that ends before it begins, or too long."""
        since = attrs.get("since") or database_now()
        until = attrs.get("until") or since + AHEAD
        if not since < until <= since + LONGEST:
            told = f"After `since`, and at most {LONGEST.days} days later."
            raise serializers.ValidationError({"until": told})
        return {"since": since, "until": until}


class MemberView(serializers.ModelSerializer):
    """Somebody's place in the team."""

    person = PersonRef(read_only=True)

    class Meta:
        model = Membership
        fields = ("person", "role")
        read_only_fields = fields


class ShiftView(serializers.Serializer):
    """One stretch that one person serves, overrides and swaps included."""

    person = PersonRef()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class GapView(serializers.Serializer):
    """A stretch in which nobody serves."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    why = serializers.CharField()


def shifts_of(team: Team, reader: Person, since: datetime, until: datetime) -> list[Any]:
    """Who serves when, as `ShiftView` shows it."""
    found = final_shifts(team, since, until)
    people = Person.objects.in_bulk({shift.person_id for shift in found})
    return [
        {"person": people[shift.person_id], "start": shift.start, "end": shift.end}
        for shift in found
        if shift.person_id in people
    ]


def gaps_of(team: Team, reader: Person, since: datetime, until: datetime) -> list[Any]:
    """When nobody serves."""
    return list(gaps(team, since, until))


def serving(team: Team, reader: Person, at: datetime | None = None) -> list[Person]:
    """Who is on call at a moment, who is called first before the others."""
    ids = on_call([team.pk], at or database_now()).get(team.pk, [])
    people = Person.objects.in_bulk(ids)
    return [people[pk] for pk in ids if pk in people]


def _members(team: Team, reader: Person) -> Any:
    return team.memberships.select_related("person").order_by("person__name", "pk")


SUBJECT: Final = set_by(
    set_team,
    Subject(
        slug="teams",
        summary="Teams, with what they are responsible for.",
        view=TeamView,
        one=TeamDetail,
        rows=lambda reader: Team.objects.select_related("tier", "lead", "manager", "calendar"),
        orders=BY_NAME,
        is_called="team",
        deeds=(
            Deed(
                slug="add-member",
                summary="Let somebody join.",
                perform=add_member,
                body=Joining,
            ),
            Deed(
                slug="remove-member",
                summary="Let somebody leave.",
                perform=remove_member,
                body=Leaving,
            ),
            Deed(
                slug="heads",
                summary="Name lead and manager.",
                perform=set_heads,
                body=Heads,
                needs="admin",
            ),
            contacts.TEAM_DEED,
        ),
        looks=(
            contacts.TEAM_LOOK,
            Look(
                slug="members",
                summary="Who belongs to it.",
                read=_members,
                answer=MemberView,
                needs=INSIDE,
            ),
            Look(
                slug="on-call",
                summary="Who is on call at a moment, who is called first before the others.",
                read=serving,
                answer=PersonRef,
                needs=INSIDE,
                params=Moment,
            ),
            Look(
                slug="shifts",
                summary="Final shifts: layers, overrides and swaps taken together.",
                read=shifts_of,
                answer=ShiftView,
                needs=INSIDE,
                params=Span,
            ),
            Look(
                slug="gaps",
                summary="When nobody is on call.",
                read=gaps_of,
                answer=GapView,
                needs=INSIDE,
                params=Span,
            ),
        ),
    ),
    new=NewTeam,
    body=TeamBody,
    needs="admin",
    made="A new team.",
    changed="Change a team.",
)
SUBJECTS: Final = (SUBJECT,)
