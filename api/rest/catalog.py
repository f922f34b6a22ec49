"""Teams, tiers, services and categories: what there is to choose from."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Order
from api.rest.resource import Resource, sees_internal
from roles.instants import database_now
from roles.models import Person, Team, Tier
from roles.models.tokens import Scope
from roles.oncall import on_call
from tickets.models import Category, Service

BY_NAME = {"name": Order("name", holds=str), "-name": Order("name", True, holds=str)}
GUIDANCE = ("responsibilities", "hands_over", "escalates_to")


class PersonRef(serializers.ModelSerializer):
    """A person as others mention them."""

    class Meta:
        model = Person
        fields = ("username", "name")
        read_only_fields = fields


class TierRef(serializers.ModelSerializer):
    """A tier as others mention it."""

    class Meta:
        model = Tier
        fields = ("slug", "name")
        read_only_fields = fields


class TeamRef(serializers.ModelSerializer):
    """A team as others mention it."""

    class Meta:
        model = Team
        fields = ("slug", "name")
        read_only_fields = fields


class ServiceRef(serializers.ModelSerializer):
    """A service as others mention it."""

    class Meta:
        model = Service
        fields = ("slug", "name")
        read_only_fields = fields


class CategoryRef(serializers.ModelSerializer):
    """A category as others mention it."""

    class Meta:
        model = Category
        fields = ("slug", "name")
        read_only_fields = fields


class TierView(serializers.ModelSerializer):
    """A rung or lane with what it is responsible for."""

    class Meta:
        model = Tier
        fields = ("slug", "name", "kind", "rank", "is_vendor", *GUIDANCE)
        read_only_fields = fields


class TeamView(serializers.ModelSerializer):
    """A team with what it is responsible for and who heads it."""

    tier = TierRef(read_only=True)
    lead = PersonRef(read_only=True, allow_null=True)
    manager = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Team
        fields: tuple[str, ...] = (
            *("slug", "name", "tier", "lead", "manager", "is_service_desk", "is_active"),
            *GUIDANCE,
        )
        read_only_fields = fields


class TeamDetail(TeamView):
    """A team, with who is on call right now; null for readers outside the service."""

    on_call = serializers.SerializerMethodField()

    class Meta(TeamView.Meta):
        fields = (*TeamView.Meta.fields, "on_call")
        read_only_fields = fields

    def get_on_call(self, team: Team) -> list[str] | None:
        """User names of the people on call now."""
        if not sees_internal(self.context["request"].user):
            return None
        ids = on_call([team.pk], database_now()).get(team.pk, [])
        names = dict(Person.objects.filter(pk__in=ids).values_list("pk", "username"))
        return [names[pk] for pk in ids]


class ServiceView(serializers.ModelSerializer):
    """A service and the team that answers for it."""

    owner_team = TeamRef(read_only=True, allow_null=True)

    class Meta:
        model = Service
        fields = ("slug", "name", "description", "owner_team", "is_active")
        read_only_fields = fields


class CategoryView(serializers.ModelSerializer):
    """A category and the one that it belongs to."""

    parent = CategoryRef(read_only=True, allow_null=True)

    class Meta:
        model = Category
        fields = ("slug", "name", "parent", "is_active")
        read_only_fields = fields


class Catalog(Resource):
    """Rows that everybody who is signed in may read."""

    read_scope = Scope.CATALOG_READ
    orders = BY_NAME


class Tiers(Catalog):
    serializer_class = TierView
    queryset = Tier.objects.all()

    @extend_schema(operation_id="tiers_list", responses=TierView(many=True))
    def get(self, request: Request) -> Response:
        """The rungs of the ladder and the lanes beside it."""
        return self.page(Tier.objects.all())


class Teams(Catalog):
    serializer_class = TeamView
    queryset = Team.objects.all()

    @extend_schema(operation_id="teams_list", responses=TeamView(many=True))
    def get(self, request: Request) -> Response:
        """All teams."""
        return self.page(Team.objects.select_related("tier", "lead", "manager"))


class OneTeam(Catalog):
    serializer_class = TeamDetail
    orders = {}
    queryset = Team.objects.all()

    @extend_schema(operation_id="teams_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        """One team, with who is on call now."""
        teams = Team.objects.select_related("tier", "lead", "manager")
        return Response(self.show(get_object_or_404(teams, slug=slug)))


class Services(Catalog):
    serializer_class = ServiceView
    queryset = Service.objects.all()

    @extend_schema(operation_id="services_list", responses=ServiceView(many=True))
    def get(self, request: Request) -> Response:
        """All services."""
        return self.page(Service.objects.select_related("owner_team"))


class Categories(Catalog):
    serializer_class = CategoryView
    queryset = Category.objects.all()

    @extend_schema(operation_id="categories_list", responses=CategoryView(many=True))
    def get(self, request: Request) -> Response:
        """All categories."""
        return self.page(Category.objects.select_related("parent"))
