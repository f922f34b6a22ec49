"""What there is to choose from: tiers, services, categories, routes, customer groups, duties."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.references import CategoryName, PersonName, ServiceName, TeamName, TierName
from api.rest.resource import StrictSerializer, Text, sees_internal
from api.rest.subject import INSIDE, PK, Deed, Subject, set_by
from roles.instants import database_now
from roles.models import Duty, Organisation, Person, Team, Tier
from roles.oncall import on_call
from roles.places import set_tier
from roles.teams import assign_duty, withdraw_duty
from tickets.catalog import set_category, set_route, set_service
from tickets.models import Category, Route, Service

BY_NAME = {"name": Order("name", holds=str), "-name": Order("name", True, holds=str)}
BY_NUMBER = {"id": Order("pk"), "-id": Order("pk", True)}
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

    @extend_schema_field(serializers.ListField(child=serializers.CharField(), allow_null=True))
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


class OrganisationView(serializers.ModelSerializer):
    """A customer group."""

    class Meta:
        model = Organisation
        fields = ("slug", "name", "may_see_own")
        read_only_fields = fields


class DutyView(serializers.ModelSerializer):
    """A duty, with who holds it."""

    holders = serializers.SerializerMethodField()

    class Meta:
        model = Duty
        fields = ("slug", "name", *GUIDANCE, "holders")
        read_only_fields = fields

    @extend_schema_field(PersonRef(many=True))
    def get_holders(self, duty: Duty) -> Any:
        """Active people who hold it."""
        people = [row.person for row in duty.assignments.all() if row.person.is_active]
        return PersonRef(people, many=True).data


class RouteView(serializers.ModelSerializer):
    """Who works on a service or category on one tier; null for any."""

    service: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    category: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    tier: Any = serializers.SlugRelatedField("slug", read_only=True)
    team: Any = serializers.SlugRelatedField("slug", read_only=True)

    class Meta:
        model = Route
        fields = ("id", "service", "category", "tier", "team", "takes_new", "is_active")
        read_only_fields = fields


# ---- What is written -----------------------------------------------------------------------------


class Guided(StrictSerializer):
    """The texts that a place says of itself, and why they are changed."""

    responsibilities = Text(max_length=20_000, required=False, allow_blank=True)
    hands_over = Text(max_length=20_000, required=False, allow_blank=True)
    escalates_to = Text(max_length=20_000, required=False, allow_blank=True)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class TierBody(Guided):
    """A rung (with its rank) or a lane (without)."""

    name = Text(max_length=200)
    kind = serializers.ChoiceField(Tier.Kind.choices)
    rank = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=100)
    is_vendor = serializers.BooleanField(required=False)


class NewTier(TierBody):
    """A tier under its slug."""

    slug = serializers.SlugField(max_length=80)


class ServiceBody(StrictSerializer):
    """What support is given for."""

    name = Text(max_length=200)
    description = Text(max_length=20_000, required=False, allow_blank=True)
    owner_team = TeamName(required=False, allow_null=True)
    is_active = serializers.BooleanField(required=False)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class NewService(ServiceBody):
    """A service under its slug."""

    slug = serializers.SlugField(max_length=80)


class CategoryBody(StrictSerializer):
    """What tickets are about."""

    name = Text(max_length=200)
    parent: Any = CategoryName(required=False, allow_null=True)
    is_active = serializers.BooleanField(required=False)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class NewCategory(CategoryBody):
    """A category under its slug."""

    slug = serializers.SlugField(max_length=80)


class RouteBody(StrictSerializer):
    """Where tickets of a service and category go on one tier; the one route for these three."""

    service = ServiceName(allow_null=True)
    category = CategoryName(allow_null=True)
    tier = TierName()
    team = TeamName()
    takes_new = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class Holding(StrictSerializer):
    """Somebody who takes or gives up a duty."""

    person = PersonName()


SUBJECTS: Final = (
    set_by(
        set_tier,
        Subject(
            slug="tiers",
            summary="The rungs of the ladder and the lanes beside it.",
            view=TierView,
            rows=lambda reader: Tier.objects.all(),
            orders=BY_NAME,
        ),
        new=NewTier,
        body=TierBody,
        needs="admin",
        made="A new rung or lane.",
        changed="Change a rung or lane.",
    ),
    set_by(
        set_service,
        Subject(
            slug="services",
            summary="What support is given for.",
            view=ServiceView,
            rows=lambda reader: Service.objects.select_related("owner_team"),
            orders=BY_NAME,
        ),
        new=NewService,
        body=ServiceBody,
        needs="admin",
        made="A new service.",
        changed="Change a service.",
    ),
    set_by(
        set_category,
        Subject(
            slug="categories",
            summary="What tickets are about.",
            view=CategoryView,
            rows=lambda reader: Category.objects.select_related("parent"),
            orders=BY_NAME,
        ),
        new=NewCategory,
        body=CategoryBody,
        needs="admin",
        made="A new category.",
        changed="Change a category.",
    ),
    Subject(
        slug="routes",
        summary="Who works on what, on each tier.",
        view=RouteView,
        rows=lambda reader: Route.objects.select_related("service", "category", "tier", "team"),
        orders=BY_NUMBER,
        by=PK,
        reads=INSIDE,
        make=Deed(
            summary="Set the route of a service and category on a tier.",
            perform=set_route,
            body=RouteBody,
            needs="admin",
            status=201,
        ),
    ),
    Subject(
        slug="organisations",
        summary="Customer groups.",
        view=OrganisationView,
        rows=lambda reader: Organisation.objects.all(),
        orders=BY_NAME,
        reads=INSIDE,
    ),
    Subject(
        slug="duties",
        summary="Duties, with who holds them.",
        view=DutyView,
        rows=lambda reader: Duty.objects.prefetch_related("assignments__person"),
        orders=BY_NAME,
        is_called="duty",
        reads=INSIDE,
        deeds=(
            Deed(
                slug="assign",
                summary="Give somebody the duty.",
                perform=assign_duty,
                body=Holding,
                needs="admin",
            ),
            Deed(
                slug="withdraw",
                summary="Take the duty from somebody.",
                perform=withdraw_duty,
                body=Holding,
                needs="admin",
            ),
        ),
    ),
)
