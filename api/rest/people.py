"""People, as far as agents need them to hand on work, and the caller's own account."""

from datetime import datetime
from typing import Any, Final

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Order
from api.rest.catalog import BY_NAME
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.subject import INSIDE, Deed, Look, Subject
from api.rest.teams import Span
from notifications.welcome import invite_again, invite_person
from roles.models import ApiToken, AuditEntry, Person, Team
from roles.models.tokens import Scope
from roles.oncall import shifts_of
from roles.people import deactivate, reactivate, require, roles_of, set_own_ways


class PersonView(serializers.ModelSerializer):
    """A person as colleagues see them."""

    organisation: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    teams = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields: tuple[str, ...] = (
            *("username", "name", "email", "kind", "zone", "organisation", "is_active"),
            "teams",
        )
        read_only_fields = fields

    def get_teams(self, person: Person) -> list[str]:
        """Slugs of the person's teams."""
        return sorted(membership.team.slug for membership in person.memberships.all())


class OwnTokenView(serializers.ModelSerializer):
    """The token with which one is calling; never its secret."""

    class Meta:
        model = ApiToken
        fields = ("name", "prefix", "scopes", "expires_at")
        read_only_fields = fields


class MeView(PersonView):
    """The caller's account, roles and token; the token is null in a browser's session."""

    roles = serializers.SerializerMethodField()
    token = serializers.SerializerMethodField()

    class Meta(PersonView.Meta):
        fields = (*PersonView.Meta.fields, "roles", "token")
        read_only_fields = fields

    def get_roles(self, person: Person) -> list[str]:
        """The roles by which the access table knows the person."""
        return sorted(roles_of(person))

    @extend_schema_field(OwnTokenView(allow_null=True))
    def get_token(self, person: Person) -> dict[str, Any] | None:
        """The token of this very request."""
        token = self.context["request"].auth
        return OwnTokenView(token).data if isinstance(token, ApiToken) else None


class PersonFilters(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search", label="Part of a name, user name or address.")

    class Meta:
        model = Person
        fields: list[str] = []

    def search(self, people: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        """People of whom some name holds the text."""
        matching = Q(name__icontains=value) | Q(username__icontains=value)
        return people.filter(matching | Q(email__icontains=value))


def _rows(reader: Person) -> QuerySet[Person]:
    people = Person.objects.select_related("organisation")
    return people.prefetch_related("memberships__team")


class Inviting(StrictSerializer):
    """Whom to let in; a letter with a link is sent there."""

    name = Text(max_length=200)
    email = serializers.EmailField()
    zone = Text(max_length=64, required=False, help_text="Such as Europe/Berlin.")


class Because(StrictSerializer):
    """Why, for the audit."""

    reason = Text(max_length=500, required=False, allow_blank=True)


class TurnView(serializers.Serializer):
    """A stretch that the person serves for a team."""

    team = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


def _turns(person: Person, reader: Person, since: datetime, until: datetime) -> list[Any]:
    found = shifts_of(person, since, until)
    names = dict(Team.objects.filter(pk__in=found).values_list("pk", "slug"))
    turns = [
        {"team": names[team_id], "start": shift.start, "end": shift.end}
        for team_id, shifts in found.items()
        for shift in shifts
    ]
    return sorted(turns, key=lambda turn: turn["start"])


def _invite(*, actor: Person, **given: Any) -> Person:
    return invite_person(actor=actor, **given)[0]


SUBJECT: Final = Subject(
    slug="people",
    summary="Everybody who has an account, for those who work on others' tickets.",
    view=PersonView,
    by="username",
    rows=_rows,
    orders=BY_NAME,
    filters=PersonFilters,
    is_called="person",
    reads=INSIDE,
    make=Deed(
        summary="Invite somebody.",
        perform=_invite,
        body=Inviting,
        needs="admin",
        status=201,
    ),
    deeds=(
        Deed(
            slug="invite-again",
            summary="Send a fresh link to somebody who has not signed in yet.",
            perform=invite_again,
            needs="admin",
        ),
        Deed(
            slug="deactivate",
            summary="Switch the account off: no sign-in, no token, no message.",
            perform=deactivate,
            body=Because,
            needs="admin",
        ),
        Deed(
            slug="reactivate",
            summary="Switch it on again.",
            perform=reactivate,
            body=Because,
            needs="admin",
        ),
    ),
    looks=(
        Look(
            slug="shifts",
            summary="What the person serves, in all teams.",
            read=_turns,
            answer=TurnView,
            params=Span,
        ),
    ),
)
SUBJECTS: Final = (SUBJECT,)


class OwnWays(StrictSerializer):
    """One's own time zone and language."""

    zone = Text(max_length=64, required=False, help_text="Such as Europe/Berlin.")
    language = Text(max_length=10, required=False, help_text="Such as en or de.")


class Me(Resource):
    read_scope = ""
    serializer_class = MeView
    queryset = Person.objects.all()

    @extend_schema(operation_id="me_retrieve")
    def get(self, request: Request) -> Response:
        """Who is calling, and with which rights."""
        return Response(self.show(request.user))

    @extend_schema(operation_id="me_update", request=OwnWays, responses=MeView)
    def patch(self, request: Request) -> Response:
        """Change one's own time zone or language."""
        person: Any = request.user
        kept = {"zone": person.zone, "language": person.language}
        set_own_ways(actor=person, **{**kept, **self.read(OwnWays)})
        return Response(self.show(person))


class AuditView(serializers.ModelSerializer):
    """One act on people or configuration."""

    actor = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = ("id", "at", "actor", "action", "subject_type", "subject", "changes", "reason")
        read_only_fields = fields

    def get_actor(self, entry: AuditEntry) -> str | None:
        """The user name of who did it; null for the system."""
        names: dict[int, str] = self.context["names"]
        return names.get(entry.actor_id) if entry.actor_id else None


class Audit(Resource):
    read_scope = Scope.ADMIN_READ
    serializer_class = AuditView
    queryset = AuditEntry.objects.all()
    orders = {"-at": Order("pk", True), "at": Order("pk")}

    @extend_schema(operation_id="audit_list", responses=AuditView(many=True))
    def get(self, request: Request) -> Response:
        """What was done to people and configuration, newest first."""
        require(request.user, "see_audit")
        rows = self.paginate_queryset(AuditEntry.objects.all()) or []
        ids = {row.actor_id for row in rows}
        names = dict(Person.objects.filter(pk__in=ids).values_list("pk", "username"))
        return self.get_paginated_response(self.show(rows, many=True, names=names))
