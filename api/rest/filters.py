"""The declared filters of the ticket list; nothing else of a query reaches the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.dateparse import parse_datetime

from escalation.models import Escalation
from tickets import states
from tickets.models import Kind, Ticket, Watcher

NAMES_MAX = 50


class Instant(forms.Field):
    """A time in ISO 8601; without a zone it is UTC."""

    def to_python(self, value: Any) -> datetime | None:
        """The instant. Raises ValidationError."""
        if not value:
            return None
        try:
            moment = parse_datetime(str(value).strip().replace(" ", "+"))
        except ValueError:
            moment = None
        if moment is None:
            raise forms.ValidationError("A time in ISO 8601, such as 2026-03-02T09:00:00Z.")
        try:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            raise forms.ValidationError("That time is out of range.") from None


class InstantFilter(django_filters.IsoDateTimeFilter):
    field_class = Instant


class Truth(forms.Field):
    """true or false, and nothing that merely looks like it."""

    def to_python(self, value: Any) -> bool | None:
        """The truth. Raises ValidationError."""
        if not value:
            return None
        if value not in ("true", "false"):
            raise forms.ValidationError("true or false.")
        return bool(value == "true")


class TruthFilter(django_filters.BooleanFilter):
    field_class = Truth


class Names(django_filters.BaseInFilter, django_filters.CharFilter):
    """Several names, separated by commas, each of which will do."""


class Chosen(django_filters.fields.ChoiceField):
    """One of a fixed set; nothing is none of them."""

    def clean(self, value: Any) -> Any:
        """The choice. Raises ValidationError."""
        if value == "":
            raise forms.ValidationError("Nothing stands between two commas.")
        return super().clean(value)


class Choices(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """Several of a fixed set, separated by commas, each of which will do."""

    field_class = Chosen


class TicketFilters(django_filters.FilterSet):
    """What the list can be narrowed by."""

    status = Choices(choices=[(name, states.LABELS[name]) for name in sorted(states.ALL)])
    kind = Choices(choices=Kind.choices)
    priority = Choices(choices=[(str(level), str(level)) for level in range(1, 6)])
    team = Names(field_name="team__slug", label="Slugs of teams.")
    tier = Names(field_name="team__tier__slug", label="Slugs of tiers or lanes.")
    service = Names(field_name="service__slug", label="Slugs of services.")
    category = Names(field_name="category__slug", label="Slugs of categories.")
    assignee = django_filters.CharFilter(method="by_person", label="User name, `me` or `none`.")
    requester = django_filters.CharFilter(method="by_person", label="User name or `me`.")
    open = TruthFilter(method="by_open", label="Whether somebody still has to work on it.")
    breached = TruthFilter(method="by_breach", label="Whether a target of it has been missed.")
    due_before = InstantFilter(
        field_name="next_due_at", lookup_expr="lt", label="Whose next target falls due before."
    )
    escalated = TruthFilter(
        method="by_escalation", label="Whether its team has it by an escalation."
    )
    major = TruthFilter(field_name="is_major", label="Whether it is a major incident.")
    watched = TruthFilter(method="by_watching", label="Whether the caller follows it.")
    updated_since = InstantFilter(field_name="last_event_at", lookup_expr="gte")
    opened_since = InstantFilter(field_name="opened_at", lookup_expr="gte")
    q = django_filters.CharFilter(
        method="search", max_length=200, label="Key or part of the subject."
    )

    class Meta:
        model = Ticket
        fields: Sequence[str] = ()

    def by_person(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        """Tickets of the caller, of nobody, or of one person."""
        if value == "me":
            return tickets.filter(**{name: self.request.user.pk})
        if value == "none":
            return tickets.filter(**{f"{name}__isnull": True})
        return tickets.filter(**{f"{name}__username": value})

    def by_open(self, tickets: QuerySet[Ticket], name: str, value: bool) -> QuerySet[Ticket]:
        """Open ones, or all others."""
        return tickets.filter(status__in=states.OPEN if value else states.ALL - states.OPEN)

    def by_breach(self, tickets: QuerySet[Ticket], name: str, value: bool) -> QuerySet[Ticket]:
        """Those that have missed a target, or all others."""
        return tickets.filter(breached_at__isnull=not value)

    def by_escalation(self, tickets: QuerySet[Ticket], name: str, value: bool) -> QuerySet[Ticket]:
        """Those that came up to the team in whose queue they are, or all others."""
        passed = Escalation.objects.filter(
            ticket=OuterRef("pk"),
            to_team=OuterRef("team"),
            entry=OuterRef("entry"),
            state__in=[Escalation.State.ACCEPTED, Escalation.State.OPEN],
        )
        return tickets.filter(Exists(passed) if value else ~Exists(passed))

    def by_watching(self, tickets: QuerySet[Ticket], name: str, value: bool) -> QuerySet[Ticket]:
        """Those that the caller follows, or all others."""
        watched = Watcher.objects.filter(person=self.request.user.pk).values("ticket")
        return tickets.filter(pk__in=watched) if value else tickets.exclude(pk__in=watched)

    def search(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        """A key that begins so, or a subject that holds it."""
        return tickets.filter(Q(key__istartswith=value) | Q(subject__icontains=value))
