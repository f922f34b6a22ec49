"""What a ticket's admin page tells of escalation: why nobody was paged, why it climbed, to whom."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from escalation.admin.climbing import CLIMBS, step_lines
from escalation.explain import duration
from escalation.routes import Choice, panel
from escalation.why import why_escalated, why_nobody_was_paged
from roles.admin.audited import acting
from roles.instants import database_now
from roles.models import Person
from tickets.admin.cases import ACTS
from tickets.admin.tickets import TicketAdmin
from tickets.models import Ticket

ANSWERS = ("whom", "why_nobody_paged", "why_it_climbed", "steps")


class EscalatingTicketAdmin(TicketAdmin):
    """The ticket's page with the answers of the escalation floor."""

    acts = {**ACTS, **CLIMBS}
    fieldsets = [*TicketAdmin.fieldsets, ("Escalation", {"fields": ANSWERS})]

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Ticket | None:
        found = super().get_object(request, *args, **kwargs)
        if found is not None:
            # The answers depend on the reader: a count must not tell of a case.
            found._reader = acting(request)  # type: ignore[attr-defined]
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *ANSWERS]

    @admin.display(description="whom to escalate to")
    def whom(self, ticket: Ticket) -> str:
        if not ticket.is_open:
            return f"Nobody: it is {ticket.get_status_display().lower()}."
        reader: Person = ticket._reader  # type: ignore[attr-defined]
        found = panel(ticket, reader, database_now())
        choices = [*([found.recommended] if found.recommended else []), *found.alternatives]
        return format_html("<p>{}</p>{}", found.advice, as_list(map(choice_words, choices)))

    @admin.display(description="who was paged, or why nobody")
    def why_nobody_paged(self, ticket: Ticket) -> str:
        return as_list(why_nobody_was_paged(ticket, database_now()))

    @admin.display(description="why was this escalated")
    def why_it_climbed(self, ticket: Ticket) -> str:
        return as_list(why_escalated(ticket))

    @admin.display(description="steps that can be called")
    def steps(self, ticket: Ticket) -> str:
        return as_list(step_lines(ticket) or ["None: no policy runs."])


def as_list(lines: Iterable[str]) -> SafeString:
    """Sentences, one below the other."""
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((x,) for x in lines)))


def choice_words(choice: Choice) -> str:
    """One team as a sentence: why it, who is there, how busy, what it wants, what it is for."""
    parts = [f"{choice.team} ({choice.team.tier})"]
    if choice.reason:
        parts.append(f"recommended: {choice.reason}")
    parts.append(f"on shift: {', '.join(choice.on_shift) or 'nobody'}")
    parts.append(f"{choice.load} open")
    if choice.median_accept_s is None:
        parts.append("time to accept not measured")
    else:
        parts.append(f"accepts within {duration(choice.median_accept_s)} (median of 90 days)")
    if choice.solved_similar:
        parts.append(f"solved {choice.solved_similar} similar ones in 90 days")
    if choice.asks:
        parts.append("asks for: " + ", ".join(item.need.name for item in choice.asks))
    if choice.missing:
        parts.append("still missing: " + ", ".join(need.name for need in choice.missing))
    if choice.guidance["responsibilities"]:
        parts.append(f"answers for: {choice.guidance['responsibilities'].rstrip('.')}")
    return "; ".join(parts) + "."


admin.site.unregister(Ticket)
admin.site.register(Ticket, EscalatingTicketAdmin)
