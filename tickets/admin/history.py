"""Admin pages of what belongs to tickets: events, words, clearances, watchers and links."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html

from roles.admin.audited import acting
from roles.models import Person
from tickets.admin.reading import TicketBound, tickets_of
from tickets.models import Clearance, EventBody, TicketLink, TimelineEvent, Watcher
from tickets.queries import readable_events


def with_names(events: QuerySet[TimelineEvent]) -> QuerySet[TimelineEvent]:
    """The events with the name of who acted, and their words, without further queries."""
    name = Person.objects.filter(pk=OuterRef("actor_id")).values("name")[:1]
    return events.select_related("body").annotate(acted=Subquery(name))


@admin.display(description="who")
def who(event: TimelineEvent) -> str:
    """Who acted; nobody stands for the engine and for monitors."""
    return getattr(event, "acted", None) or "the system"


@admin.display(description="words")
def words(event: TimelineEvent) -> str:
    """What a person wrote, if it has not been erased."""
    body = getattr(event, "body", None)
    return body.text if body else ""


@admin.register(TimelineEvent)
class TimelineEventAdmin(TicketBound):
    """The only truth about tickets; the database itself refuses to change it."""

    list_display = ["at", "ticket", "seq", "kind", who, "is_public"]
    list_filter = ["kind", "is_public", "at"]
    list_select_related = ["ticket"]
    search_fields = ["=ticket__key"]
    search_help_text = "The key of a ticket, such as INC-000012."
    show_full_result_count = False
    fields = ["ticket", "seq", "at", "kind", who, "is_public", words, "told", "hash"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        shown = readable_events(super().get_queryset(request), acting(request))
        # Django leaves list_select_related out where a query has relations already.
        return with_names(shown).select_related("ticket")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.fields  # type: ignore[return-value]

    @admin.display(description="as it was hashed")
    def told(self, event: TimelineEvent) -> str:
        return format_html('<pre class="canonical">{}</pre>', event.canonical)


@admin.register(EventBody)
class EventBodyAdmin(TicketBound):
    ticket_path = "event__ticket"
    list_display = ["event", "ticket", "text"]
    list_select_related = ["event__ticket"]
    search_fields = ["=event__ticket__key"]
    search_help_text = "The key of a ticket."
    show_full_result_count = False
    fields = ["event", "text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        events = readable_events(TimelineEvent.objects.all(), acting(request))
        return super().get_queryset(request).filter(event__in=events)

    @admin.display(description="ticket")
    def ticket(self, body: EventBody) -> str:
        return body.event.ticket.key


@admin.register(Clearance)
class ClearanceAdmin(TicketBound):
    """Who may know of a restricted ticket: seen by those who are cleared for it themselves."""

    list_display = ["ticket", "person", "since"]
    list_select_related = ["ticket", "person"]
    search_fields = ["=ticket__key", "person__name"]


@admin.register(Watcher)
class WatcherAdmin(TicketBound):
    list_display = ["ticket", "person", "since"]
    list_select_related = ["ticket", "person"]
    search_fields = ["=ticket__key", "person__name"]


@admin.register(TicketLink)
class TicketLinkAdmin(TicketBound):
    """A link is shown when both of its ends are."""

    ticket_path = "source"
    list_display = ["source", "relation", "target"]
    list_filter = ["relation"]
    list_select_related = ["source", "target"]
    search_fields = ["=source__key", "=target__key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(target__in=tickets_of(request))
