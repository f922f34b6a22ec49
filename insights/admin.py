"""Admin pages of simulations: asked for with a window, watched while they run, read when done."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from escalation.configuration.nodes import MAX_BYTES
from escalation.models import Policy, PolicyRevision
from insights.models import Simulation
from insights.simulation.asking import ask, check, stop
from insights.simulation.pages import page_of
from roles.admin.audited import GuardedAdmin, acting, may
from roles.refusals import Conflict, Invalid, Refused

USUAL = timedelta(days=28)
"""The window that a new simulation offers."""

NAMES = {"current": "Today", "draft": "Draft"}
"""What the two worlds are called that are played."""

State = Simulation.State
NO_RESULT = {
    State.QUEUED: "It begins as soon as a worker is free, within a minute as a rule.",
    State.RUNNING: "It stands here when all tickets have been played.",
    State.FAILED: "There is none: it failed. Ask for it again once the cause above is mended.",
    State.STOPPED: "There is none: it was stopped.",
    State.DONE: "It is empty.",
}
"""What stands where the result will be, by state."""


class AskForm(forms.ModelForm):
    """What to play: a policy's draft or a file, over which tickets."""

    upload = forms.FileField(
        label="Or upload that file", required=False, help_text="Takes the place of the text above."
    )

    class Meta:
        model = Simulation
        fields = ["policy", "file", "since", "until"]
        widgets = {"file": forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"})}
        labels = {"policy": "Draft of", "file": "Or a policy-as-code file"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drafts = PolicyRevision.objects.filter(published_at=None).values("policy")
        policy: Any = self.fields.get("policy")
        if policy is None:
            return
        policy.queryset = Policy.objects.filter(pk__in=drafts)
        for related in ("add", "change", "view"):
            setattr(policy.widget, f"can_{related}_related", False)
        policy.help_text = (
            "Policies with a draft. Empty, and no file: only today's policies are played."
            if policy.queryset.exists()
            else "No policy has a draft now: edit one to make a draft, or give a file. Without"
            " either, only today's policies are played."
        )
        now = timezone.now().replace(second=0, microsecond=0)
        for name, at in (("since", now - USUAL), ("until", now)):
            field: Any = self.fields[name]
            field.initial = at
            for part, words in zip(field.widget.widgets, ("day", "time"), strict=True):
                part.attrs["aria-label"] = f"{name.capitalize()}, {words}"

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or {}
        upload = found.pop("upload", None)
        if upload is not None:
            found["file"] = self._text(upload)
        since, until = found.get("since"), found.get("until")
        if since and until and since >= until:
            self.add_error("until", "The window ends before it begins: choose a later moment.")
        if not self.errors:
            self._try(found, upload.name if upload is not None else "file")
        return found

    def _text(self, upload: UploadedFile) -> str:
        if (upload.size or 0) > MAX_BYTES:
            self.add_error("upload", f"{upload.name} is larger than {MAX_BYTES // 1000:,} kB.")
            return ""
        try:
            return upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("upload", f"{upload.name} is no text in UTF-8.")
            return ""

    def _try(self, found: Mapping[str, Any], file_name: str) -> None:
        names = ("policy", "file", "since", "until")
        try:
            check(**{name: found[name] for name in names}, file_name=file_name)
        except Invalid as refusal:
            for name, trouble in refusal.fields.items():
                self.add_error(name, [ValidationError(line) for line in trouble.splitlines()])
        except Conflict as refusal:
            self.add_error("policy", refusal.detail)


@admin.register(Simulation)
class SimulationAdmin(GuardedAdmin):
    """Simulations, newest first; nothing of one can be changed once it is asked for."""

    form = AskForm
    list_display = ["asked_at", "__str__", "state", "how_far", "asked_by"]
    list_filter = ["state", "asked_at"]
    list_select_related = ["policy", "asked_by"]
    search_fields = ["policy__name", "asked_by__name"]

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
            return ["policy", "file", "upload", "since", "until"]
        return ["played", "since", "until", "asked_by", "asked_at", "progress", "result"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.get_fields(request, obj) if obj else ["played", "progress", "result"]

    def save_model(self, request: HttpRequest, obj: Simulation, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in ("policy", "file", "since", "until")}
        asked = ask(**fields, actor=acting(request))
        obj.pk, obj.total = asked.pk, asked.total

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST" and "_stop" in request.POST:
            return self._stop(request, object_id)
        shown = {"may_stop": may(request, "manage_policies"), "title": "Simulation"}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def response_add(
        self, request: HttpRequest, obj: Simulation, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to its page, where one can watch it."""
        messages.success(request, f"Asked for: {obj.total} tickets will be played.")
        return HttpResponseRedirect(reverse("admin:insights_simulation_change", args=[obj.pk]))

    def _stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        simulation = self.get_object(request, object_id)
        try:
            ended = simulation is not None and stop(simulation=simulation, actor=acting(request))
        except Refused as refused:
            messages.error(request, refused.detail)
        else:
            messages.info(request, "Stopped." if ended else "It had ended already.")
        return HttpResponseRedirect(reverse("admin:insights_simulation_change", args=[object_id]))

    @admin.display(description="played")
    def played(self, simulation: Simulation) -> str:
        if simulation.policy:
            return f"The draft of {simulation.policy}"
        return "A file" if simulation.file else "Only today's policies"

    @admin.display(description="how far")
    def how_far(self, simulation: Simulation) -> str:
        return f"{simulation.done} of {simulation.total} tickets"

    @admin.display(description="progress")
    def progress(self, simulation: Simulation) -> SafeString:
        text = render_to_string("admin/insights/simulation/_progress.html", {"it": simulation})
        return mark_safe(text)  # noqa: S308 (a template of ours, which escapes)

    @admin.display(description="result")
    def result(self, simulation: Simulation) -> SafeString | str:
        if not simulation.report:
            return NO_RESULT[State(simulation.state)]
        page = page_of(simulation.report, names=NAMES)
        text = render_to_string("admin/insights/simulation/_result.html", {"page": page})
        return mark_safe(text)  # noqa: S308 (a template of ours, which escapes)
