"""What is promised and by whom: targets, vendors, and what teams ask before they take work."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import BY_NAME, BY_NUMBER
from api.rest.references import (
    CalendarName,
    OrganisationName,
    ServiceName,
    TeamName,
    VendorName,
)
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, PK, Deed, Look, Subject, set_by
from escalation.contracts import set_contract
from escalation.models import (
    ClockKind,
    HandoverContract,
    HandoverNeed,
    Target,
    TargetRevision,
    Vendor,
    VendorContact,
)
from escalation.promises import publish_target
from escalation.register import set_contacts, set_target, set_vendor
from escalation.retargeting import Scope as Reach
from escalation.retargeting import move_clocks
from roles.models import Person
from tickets import states
from tickets.models import Kind

BY_POSITION: Final = {"position": Order("position", holds=int), **BY_NAME}
PAUSES: Final = [(status, states.LABELS[status]) for status in sorted(states.OPEN)]
NARROWED: Final = ("calendar", "service", "organisation", "team", "vendor")


def _slug_of() -> Any:
    return serializers.SlugRelatedField("slug", read_only=True, allow_null=True)


class TargetWordingView(serializers.ModelSerializer):
    """One wording of a target, for ever; null where it does not narrow."""

    calendar = _slug_of()
    service = _slug_of()
    organisation = _slug_of()
    team = _slug_of()
    vendor = _slug_of()

    class Meta:
        model = TargetRevision
        fields = (
            *("number", "clock", "seconds", "first_seconds", "pauses", "priority", "kind"),
            *(*NARROWED, "created_at"),
        )
        read_only_fields = fields


class TargetView(serializers.ModelSerializer):
    """A promise; the first that matches a ticket holds."""

    current = TargetWordingView(read_only=True, allow_null=True)

    class Meta:
        model = Target
        fields = ("slug", "name", "position", "is_active", "current")
        read_only_fields = fields


class TargetBody(StrictSerializer):
    """What a target is known by."""

    name = Text(max_length=120)
    position = serializers.IntegerField(min_value=0, max_value=1_000_000)
    is_active = serializers.BooleanField(required=False)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class NewTarget(TargetBody):
    """A target under its slug."""

    slug = serializers.SlugField(max_length=80)


class TargetWording(StrictSerializer):
    """How long which clock may take, when it stands still, and for which tickets it holds."""

    clock = serializers.ChoiceField(ClockKind.choices, source="clock_kind")
    seconds = serializers.IntegerField(min_value=1, max_value=2_000_000_000)
    first_seconds = serializers.IntegerField(
        min_value=1, max_value=2_000_000_000, required=False, allow_null=True
    )
    pauses = serializers.ListField(child=serializers.ChoiceField(PAUSES), required=False)
    priority = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    kind = serializers.ChoiceField(Kind.choices, required=False, allow_blank=True)
    calendar = CalendarName(required=False, allow_null=True)
    service = ServiceName(required=False, allow_null=True)
    organisation = OrganisationName(required=False, allow_null=True)
    team = TeamName(required=False, allow_null=True)
    vendor = VendorName(required=False, allow_null=True)


class MovingClocks(StrictSerializer):
    """Why open clocks go over to the wording in force."""

    reason = Text(max_length=2000)


class MovedClocks(serializers.Serializer):
    """How many tickets' clocks were moved."""

    moved = serializers.IntegerField()


def _move(*, target: Target, actor: Person, reason: str) -> dict[str, int]:
    reach = Reach(targets=[target.pk])
    return {"moved": move_clocks(scope=reach, reason=reason, actor=actor, via="api")}


class ContactView(serializers.ModelSerializer):
    """Whom to reach at a vendor."""

    class Meta:
        model = VendorContact
        fields = ("level", "role", "name", "email", "phone")
        read_only_fields = fields


class VendorView(serializers.ModelSerializer):
    """Somebody outside who works under a contract."""

    team = _slug_of()
    calendar = _slug_of()
    contacts = ContactView(many=True, read_only=True)

    class Meta:
        model = Vendor
        fields = (
            *("slug", "name", "contract", "terms", "team", "calendar", "url", "is_active"),
            "contacts",
        )
        read_only_fields = fields


class VendorBody(StrictSerializer):
    """A vendor and its contract."""

    name = Text(max_length=120)
    contract = Text(max_length=120, required=False, allow_blank=True)
    terms = Text(max_length=20_000, required=False, allow_blank=True)
    team = TeamName(required=False, allow_null=True)
    calendar = CalendarName(required=False, allow_null=True)
    url = Text(max_length=200, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class NewVendor(VendorBody):
    """A vendor under its slug."""

    slug = serializers.SlugField(max_length=64)


class Contact(StrictSerializer):
    """Whom to reach; by e-mail or phone. The lowest level is called first."""

    level = serializers.IntegerField(min_value=1, max_value=9)
    role = Text(max_length=120)
    name = Text(max_length=120, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = Text(max_length=40, required=False, allow_blank=True)


class Contacts(StrictSerializer):
    """All contacts, in place of those before."""

    contacts = Contact(many=True)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class ContractNeedView(serializers.ModelSerializer):
    """One thing that is asked."""

    class Meta:
        model = HandoverNeed
        fields = ("slug", "name", "required")
        read_only_fields = fields


class ContractView(serializers.ModelSerializer):
    """What a team asks before it takes work; null is from anybody."""

    from_team = _slug_of()
    to_team: Any = serializers.SlugRelatedField("slug", read_only=True)
    needs = serializers.SerializerMethodField()

    class Meta:
        model = HandoverContract
        fields = ("id", "from_team", "to_team", "is_active", "needs")
        read_only_fields = fields

    @extend_schema_field(ContractNeedView(many=True))
    def get_needs(self, contract: HandoverContract) -> Any:
        """What is asked, in order."""
        return ContractNeedView(contract.needs.all(), many=True).data


class Need(StrictSerializer):
    """One thing that is asked."""

    slug = serializers.SlugField(max_length=40)
    name = Text(max_length=120)
    required: Any = serializers.BooleanField(required=False, default=True)


class Contract(StrictSerializer):
    """What the receiver asks on one edge, in place of what it asked before."""

    to_team = TeamName()
    from_team = TeamName(required=False, allow_null=True)
    needs = Need(many=True)
    is_active = serializers.BooleanField(required=False)


_MANAGE: Final = "manage_policies"
SUBJECTS: Final = (
    set_by(
        set_target,
        Subject(
            slug="targets",
            summary="Promises: how long each clock may take.",
            view=TargetView,
            rows=lambda reader: Target.objects.select_related(
                *("current", *(f"current__{name}" for name in NARROWED))
            ),
            orders=BY_POSITION,
            is_called="target",
            reads=INSIDE,
            deeds=(
                Deed(
                    slug="publish",
                    summary="Publish a wording; running clocks keep theirs.",
                    perform=publish_target,
                    body=TargetWording,
                    needs=_MANAGE,
                ),
                Deed(
                    slug="move",
                    summary="Let open clocks go over to the wording in force, on record.",
                    perform=_move,
                    body=MovingClocks,
                    needs=_MANAGE,
                    answer=MovedClocks,
                ),
            ),
            looks=(
                Look(
                    slug="revisions",
                    summary="Every wording, newest first.",
                    read=lambda target, reader: target.revisions.select_related(*NARROWED).order_by(
                        "-number"
                    ),
                    answer=TargetWordingView,
                ),
            ),
        ),
        new=NewTarget,
        body=TargetBody,
        needs=_MANAGE,
        made="A new target; its wording is published next.",
        changed="Change a target's name or place.",
    ),
    set_by(
        set_vendor,
        Subject(
            slug="vendors",
            summary="Vendors, with their contracts and contacts.",
            view=VendorView,
            rows=lambda reader: Vendor.objects.select_related("team", "calendar").prefetch_related(
                "contacts"
            ),
            orders=BY_NAME,
            is_called="vendor",
            reads=INSIDE,
            deeds=(
                Deed(
                    slug="contacts",
                    summary="Name all its contacts.",
                    perform=set_contacts,
                    body=Contacts,
                    needs=_MANAGE,
                ),
            ),
        ),
        new=NewVendor,
        body=VendorBody,
        needs=_MANAGE,
        made="A new vendor.",
        changed="Change a vendor.",
    ),
    Subject(
        slug="contracts",
        summary="What teams ask before they take work from others.",
        view=ContractView,
        by=PK,
        rows=lambda reader: HandoverContract.objects.select_related(
            "from_team", "to_team"
        ).prefetch_related("needs"),
        orders=BY_NUMBER,
        reads=INSIDE,
        make=Deed(
            summary="Set the contract of an edge.",
            perform=set_contract,
            body=Contract,
            status=201,
        ),
    ),
)
