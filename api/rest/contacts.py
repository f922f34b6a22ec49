"""Whom to call or tell in a scenario: contact lists, and how members of a team are told."""

from collections.abc import Sequence
from typing import Any, Final

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.reach import Rung, RungView
from api.rest.references import PersonName, ServiceName, TeamName
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, PK, Deed, Look, Subject
from notifications.models import TeamRule, Urgency
from notifications.teamrules import set_team_rules
from roles.models import Person, Team
from roles.models.tokens import Scope
from tickets import contactlists
from tickets.models import Contact, ContactList, Scenario


class ListedView(serializers.ModelSerializer):
    """Somebody on a list, and as what."""

    person = PersonRef(read_only=True)

    class Meta:
        model = Contact
        fields = ("person", "part")
        read_only_fields = fields


class ContactListView(serializers.ModelSerializer):
    """Who is to be called or told; no team means everybody's, no services means all."""

    team: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    services: Any = serializers.SlugRelatedField("slug", read_only=True, many=True)
    contacts = ListedView(many=True, read_only=True)

    class Meta:
        model = ContactList
        fields = ("id", "name", "scenario", "team", "services", "severity", "advice", "contacts")
        read_only_fields = fields


class ContactListFilters(django_filters.FilterSet):
    scenario = django_filters.ChoiceFilter(choices=Scenario.choices)
    team = django_filters.CharFilter(field_name="team__slug", label="Slug of a team.")

    class Meta:
        model = ContactList
        fields: list[str] = []


class ContactListBody(StrictSerializer):
    """What the list is for."""

    name = Text(max_length=120)
    scenario = serializers.ChoiceField(Scenario.choices)
    team = TeamName(required=False, allow_null=True)
    services = serializers.ListField(child=ServiceName(), required=False)
    severity = serializers.IntegerField(
        min_value=1,
        max_value=3,
        required=False,
        help_text="Told of majors of this severity or a graver one; 3 is all of them.",
    )
    advice = Text(max_length=2000, required=False, allow_blank=True)


class Putting(StrictSerializer):
    """Who, and as what; once more changes as what."""

    person = PersonName()
    part = Text(max_length=120, required=False, allow_blank=True)


class Taking(StrictSerializer):
    """Who."""

    person = PersonName()


def _change(*, actor: Person, listed: ContactList, **given: Any) -> ContactList:
    kept = {name: getattr(listed, name) for name in ("name", "scenario", "team", "severity")}
    kept |= {"advice": listed.advice, "services": list(listed.services.all())}
    return contactlists.keep_list(actor=actor, listed=listed, **{**kept, **given})


def _lists(reader: Person) -> QuerySet[ContactList]:
    rows = ContactList.objects.filter(is_active=True).select_related("team")
    return rows.prefetch_related("services", "contacts__person")


class TeamLadderView(serializers.Serializer):
    """How members without rules of their own are told."""

    urgency = serializers.ChoiceField(Urgency.choices)
    rules = RungView(many=True)


class TeamLadder(StrictSerializer):
    """In place of the team's rules for pages (`high`) or for other news (`low`)."""

    urgency = serializers.ChoiceField(Urgency.choices)
    rules = Rung(many=True)


def _ladders(team: Team, reader: Person) -> list[dict[str, Any]]:
    rows = list(TeamRule.objects.filter(team=team.pk))
    return [
        {"urgency": urgency, "rules": [row for row in rows if row.urgency == urgency]}
        for urgency in Urgency.values
    ]


def _set_ladder(
    *, team: Team, actor: Person, urgency: str, rules: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    pairs = [(rung["channel"], rung["delay_s"]) for rung in rules]
    made = set_team_rules(actor=actor, team=team, urgency=urgency, rules=pairs)
    return {"urgency": urgency, "rules": made}


TEAM_LOOK: Final = Look(
    slug="contact-rules",
    summary="How members are told who have no rules of their own.",
    read=_ladders,
    answer=TeamLadderView,
    needs=INSIDE,
)
TEAM_DEED: Final = Deed(
    slug="set-contact-rules",
    summary="Say how members are told who have no rules of their own.",
    perform=_set_ladder,
    body=TeamLadder,
    answer=TeamLadderView,
)
SUBJECTS: Final = (
    Subject(
        slug="contact-lists",
        summary="Whom to call or tell in an outage, a security case or a vendor's work.",
        view=ContactListView,
        by=PK,
        rows=_lists,
        orders={
            "scenario": Order("scenario", holds=str),
            "id": Order("pk"),
            "-id": Order("pk", True),
        },
        filters=ContactListFilters,
        is_called="listed",
        reads=INSIDE,
        write_scope=Scope.ROSTER_WRITE,
        make=Deed(
            summary="One more list; its people are named next.",
            perform=contactlists.keep_list,
            body=ContactListBody,
            status=201,
        ),
        change=Deed(summary="Change what it is for.", perform=_change, body=ContactListBody),
        remove=Deed(summary="It is not used any more.", perform=contactlists.end_list),
        deeds=(
            Deed(
                slug="add-person",
                summary="Put somebody on it.",
                perform=contactlists.put_on_list,
                body=Putting,
            ),
            Deed(
                slug="remove-person",
                summary="Take somebody off it.",
                perform=contactlists.take_off_list,
                body=Taking,
            ),
        ),
    ),
)
