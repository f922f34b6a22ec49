"""Forms for acts on one ticket within the admin: offered, asked, carried out, told."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse

from roles.admin.audited import acting, may
from roles.models import Person
from roles.refusals import Refused
from tickets.access import allowed_actions
from tickets.admin.cases import ACTS, ActForm, CaseAct, GlassForm
from tickets.admin.reading import TicketBound, tickets_of
from tickets.clearance import break_glass
from tickets.models import Ticket


def offered(
    person: Person, ticket: Ticket, acts: Mapping[str, CaseAct] = ACTS
) -> list[tuple[str, str]]:
    """(name, label) of each act that this person may do to this ticket as it stands."""
    allowed = allowed_actions(person, ticket)
    return [
        (name, act.label)
        for name, act in acts.items()
        if act.action in allowed and act.fits(ticket)
    ]


class ActingAdmin(TicketBound):
    """A ticket's page with a button for each act that makes sense, and the form behind it."""

    change_form_template = "admin/tickets/acting_form.html"
    change_list_template = "admin/tickets/acting_list.html"
    acts: Mapping[str, CaseAct] = ACTS
    """What may be offered; a higher floor adds its own."""

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        return [
            path("break-glass/", guard(self.glass_view), name="tickets_ticket_glass"),
            path(
                "<int:ticket_id>/act/<slug:name>/", guard(self.act_view), name="tickets_ticket_act"
            ),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        known = tickets_of(request).filter(pk=object_id) if object_id.isdecimal() else None
        ticket = known.first() if known is not None else None
        context = {"acts": offered(acting(request), ticket, self.acts) if ticket else []}
        context |= extra_context or {}
        return super().change_view(request, object_id, form_url, context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"may_break_glass": may(request, "break_glass")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def act_view(self, request: HttpRequest, ticket_id: int, name: str) -> HttpResponse:
        """The form of one act, and the act itself."""
        ticket = tickets_of(request).filter(pk=ticket_id).first()
        if ticket is None or name not in dict(offered(acting(request), ticket, self.acts)):
            raise Http404
        act = self.acts[name]
        page = reverse("admin:tickets_ticket_change", args=[ticket.pk])
        form = act.form(_sent(request), reader=acting(request))
        is_asked = request.method == "POST" and form.is_valid()
        if is_asked and self._done(request, act, ticket, form):
            still = tickets_of(request).filter(pk=ticket_id).exists()
            home = reverse("admin:tickets_ticket_changelist")
            return HttpResponseRedirect(page if still else home)
        return self._ask(request, form, f"{act.label}: {ticket.key}", page)

    def _done(self, request: HttpRequest, act: CaseAct, ticket: Ticket, form: ActForm) -> bool:
        try:
            more = act.carry_out(ticket, acting(request), form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
            return False
        messages.success(request, f"Done; the timeline of {ticket.key} tells it. {more}".strip())
        return True

    def glass_view(self, request: HttpRequest) -> HttpResponse:
        """Open a restricted case in an emergency."""
        if not may(request, "break_glass"):
            raise PermissionDenied
        home = reverse("admin:tickets_ticket_changelist")
        form = GlassForm(_sent(request), reader=acting(request))
        if request.method == "POST" and form.is_valid():
            try:
                ticket = break_glass(actor=acting(request), via="admin", **form.cleaned_data)
            except Refused as refusal:
                show_refusal(form, refusal)
            else:
                messages.warning(request, f"{ticket.key} is open to you; everybody has been told.")
                return HttpResponseRedirect(
                    reverse("admin:tickets_ticket_change", args=[ticket.pk])
                )
        return self._ask(request, form, "Open a restricted case in an emergency", home)

    def _ask(self, request: HttpRequest, form: ActForm, title: str, back: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            # What the button does stands before the colon; the rest says to what.
            "verb": title.partition(":")[0],
            "form": form,
            "back": back,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/tickets/act.html", context)


def show_refusal(form: ActForm, refusal: Refused) -> None:
    """Put what a domain function refused beside the fields that it names."""
    form.add_error(None, refusal.detail)
    for name, words in refusal.fields.items():
        form.add_error(name if name in form.fields else None, words)


def _sent(request: HttpRequest) -> QueryDict | None:
    """What was sent; an act that asks for nothing is sent empty, and is sent all the same."""
    return request.POST if request.method == "POST" else None
