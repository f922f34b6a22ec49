"""Admin pages of simulations: asked for with a window, watched while they run, read when done."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from escalation.models import Policy, PolicyRevision
from insights.models import Simulation
from insights.simulation.asking import ask, stop
from insights.simulation.pages import page_of
from roles.admin.audited import GuardedAdmin, acting, may
from roles.refusals import Refused


class AskForm(forms.ModelForm):
    """What to play: a policy's draft or a file, over which tickets."""

    class Meta:
        model = Simulation
        fields = ["policy", "file", "since", "until"]
        widgets = {"file": forms.Textarea(attrs={"rows": 8, "cols": 80})}
        labels = {"policy": "Draft of", "file": "Or a policy-as-code file"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drafts = PolicyRevision.objects.filter(published_at=None).values("policy")
        policy: Any = self.fields.get("policy")
        if policy is not None:
            policy.queryset = Policy.objects.filter(pk__in=drafts)
            policy.help_text = (
                "Policies with a draft. Empty, and no file: only today's policies are played."
            )

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or {}
        since, until = found.get("since"), found.get("until")
        if since and until and since >= until:
            raise ValidationError({"until": "The window ends before it begins."})
        return found


@admin.register(Simulation)
class SimulationAdmin(GuardedAdmin):
    """Simulations, newest first; nothing of one can be changed once it is asked for."""

    form = AskForm
    list_display = ["asked_at", "__str__", "state", "how_far", "asked_by"]
    list_filter = ["state"]
    list_select_related = ["policy", "asked_by"]
    change_form_template = "admin/insights/simulation/change_form.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "manage_policies", "see_dashboard")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "manage_policies", "see_dashboard")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, "manage_policies")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ["policy", "file", "since", "until"]
        return ["played", "since", "until", "asked_by", "asked_at", "progress", "result"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.get_fields(request, obj) if obj else ["played", "progress", "result"]

    def save_model(self, request: HttpRequest, obj: Simulation, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in ("policy", "file", "since", "until")}
        asked = ask(**fields, actor=acting(request))
        obj.pk = asked.pk

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and "_stop" in request.POST:
            return self._stop(request, object_id)
        return super().change_view(request, object_id, *args, **kwargs)

    def _stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        simulation = self.get_object(request, object_id)
        try:
            ended = simulation is not None and stop(simulation=simulation, actor=acting(request))
        except Refused as refused:
            messages.error(request, refused.detail)
        else:
            messages.info(request, "Stopped." if ended else "It had ended already.")
        return HttpResponseRedirect(reverse("admin:insights_simulation_change", args=[object_id]))

    @admin.display(description="draft of")
    def played(self, simulation: Simulation) -> str:
        if simulation.policy:
            return str(simulation.policy)
        return "a file" if simulation.file else "only today's policies"

    @admin.display(description="how far")
    def how_far(self, simulation: Simulation) -> str:
        return f"{simulation.done} of {simulation.total} tickets"

    @admin.display(description="progress")
    def progress(self, simulation: Simulation) -> str:
        words = f"{simulation.get_state_display()}: {self.how_far(simulation)}."
        return f"{words} {simulation.trouble}".strip()

    @admin.display(description="result")
    def result(self, simulation: Simulation) -> SafeString | str:
        if not simulation.report:
            return "Not there yet: reload this page to see how far it is."
        page = page_of(simulation.report)
        text = render_to_string("admin/insights/simulation/_result.html", {"page": page})
        return mark_safe(text)  # noqa: S308 (a template of ours, which escapes)
