"""How a body names other rows: by slug, by user name; what is switched off cannot be named."""

from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from escalation.models import Vendor
from roles.models import Calendar, Duty, Organisation, Person, Team, Tier
from roles.written import Written
from tickets.knowledge import readable
from tickets.models import Article, ArticleRevision, Category, Service, Ticket


@extend_schema_field(OpenApiTypes.STR)
class Reference(serializers.Field):
    """A row known by a short name. Raises ValidationError for an unknown one."""

    model: Any = None
    lookup = "slug"
    ends = True
    """Whether rows can be switched off."""
    around: tuple[str, ...] = ()
    default_error_messages = {
        "invalid": "Give a name.",
        "unknown": "There is none of this name that can be chosen.",
    }

    @classmethod
    @cache
    def named(cls) -> Written[Any]:
        """The rows of a name that can be chosen."""
        alive = {"is_active": True} if cls.ends else {}
        rows = cls.model.objects.select_related(*cls.around).filter(**alive)
        return Written(lambda name: rows.filter(**{cls.lookup: name}).order_by("pk")[:1], name=str)

    def to_internal_value(self, data: Any) -> Any:
        """The row of that name."""
        if not isinstance(data, str):
            self.fail("invalid")
        row = None
        if len(data) <= 254 and "\x00" not in data:
            row = self.named().first(name=data)
        if row is None:
            self.fail("unknown")
        return row

    def to_representation(self, value: Any) -> str:
        """The name again."""
        return str(getattr(value, self.lookup.partition("__")[0]))


@extend_schema_field(OpenApiTypes.STR)
class TicketKey(serializers.Field):
    """A ticket that the caller may know of, by its key; any other is as unknown as none."""

    default_error_messages = {"unknown": "No ticket that you can see has this key."}

    def to_internal_value(self, data: Any) -> Ticket:
        """The ticket of that key, in any case."""
        found = None
        if isinstance(data, str) and len(data) <= 20 and "\x00" not in data:
            seen = Ticket.objects.visible_to(self.context["request"].user)
            found = seen.filter(key=data.upper()).first()
        if found is None:
            self.fail("unknown")
        return found

    def to_representation(self, value: Ticket) -> str:
        """The key again."""
        return value.key


class TeamName(Reference):
    """An active team by its slug."""

    model = Team


class ServiceName(Reference):
    """An active service by its slug."""

    model = Service


class CategoryName(Reference):
    """An active category by its slug."""

    model = Category


class PersonName(Reference):
    """An active person by user name, in any case."""

    model = Person
    lookup = "username__iexact"
    around = ("organisation",)


class VendorName(Reference):
    """An active vendor by its slug."""

    model = Vendor


class CalendarName(Reference):
    """A calendar by its slug."""

    model = Calendar
    ends = False


class TierName(Reference):
    """A tier or lane by its slug."""

    model = Tier
    ends = False


class DutyName(Reference):
    """A duty by its slug."""

    model = Duty
    ends = False


class OrganisationName(Reference):
    """A customer group by its slug."""

    model = Organisation
    ends = False


@extend_schema_field(OpenApiTypes.INT)
class ReadableArticle(serializers.Field):
    """An article that the caller may read, by its number."""

    default_error_messages = {"unknown": "No article that you can read has this number."}

    def to_internal_value(self, data: Any) -> Article:
        """The article of that number."""
        found = None
        if type(data) is int and 0 < data < 2**31:
            found = readable(self.context["request"].user).filter(pk=data).first()
        if found is None:
            self.fail("unknown")
        return found

    def to_representation(self, value: Article) -> int:
        """The number again."""
        return value.pk


class RevisionNumber(ReadableArticle):
    """The published wording of a runbook that the caller may read, by its number."""

    def to_internal_value(self, data: Any) -> Any:
        """The revision of that number."""
        found = None
        if type(data) is int and 0 < data < 2**31:
            mine = readable(self.context["request"].user).values("pk")
            found = ArticleRevision.objects.filter(pk=data, article__in=mine).first()
        if found is None:
            self.fail("unknown")
        return found
