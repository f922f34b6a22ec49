"""People, as far as agents need them to hand on work, and the caller's own account."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Order
from api.rest.catalog import BY_NAME
from api.rest.resource import Resource, sees_internal
from roles.models import ApiToken, AuditEntry, Person
from roles.models.tokens import Scope
from roles.people import require, roles_of
from roles.refusals import Forbidden


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


class TokenView(serializers.ModelSerializer):
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

    @extend_schema_field(TokenView(allow_null=True))
    def get_token(self, person: Person) -> dict[str, Any] | None:
        """The token of this very request."""
        token = self.context["request"].auth
        return TokenView(token).data if isinstance(token, ApiToken) else None


class PersonFilters(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search", label="Part of a name, user name or address.")

    class Meta:
        model = Person
        fields: list[str] = []

    def search(self, people: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        """People of whom some name holds the text."""
        matching = Q(name__icontains=value) | Q(username__icontains=value)
        return people.filter(matching | Q(email__icontains=value))


class Colleagues(Resource):
    """People, for those who work on others' tickets."""

    read_scope = Scope.CATALOG_READ
    serializer_class = PersonView
    queryset = Person.objects.all()

    def found(self) -> QuerySet[Person]:
        """Everybody. Raises Forbidden for those who only ask."""
        if not sees_internal(self.request.user):
            raise Forbidden("not_allowed", "Only people of the service may look people up.")
        people = Person.objects.select_related("organisation")
        return people.prefetch_related("memberships__team")


class People(Colleagues):
    orders = BY_NAME
    filterset_class = PersonFilters

    @extend_schema(operation_id="people_list", responses=PersonView(many=True))
    def get(self, request: Request) -> Response:
        """Everybody who has an account."""
        return self.page(self.found())


class OnePerson(Colleagues):
    @extend_schema(operation_id="people_retrieve")
    def get(self, request: Request, username: str) -> Response:
        """One account."""
        return Response(self.show(get_object_or_404(self.found(), username=username)))


class Me(Resource):
    read_scope = ""
    serializer_class = MeView
    queryset = Person.objects.all()

    @extend_schema(operation_id="me_retrieve")
    def get(self, request: Request) -> Response:
        """Who is calling, and with which rights."""
        return Response(self.show(request.user))


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
