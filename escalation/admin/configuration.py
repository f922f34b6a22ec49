"""The admin page of policy as code: download the site as a file, see a plan of one, apply it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from escalation.configuration.applying import Outcome, apply_text, export_site, plan_text
from escalation.configuration.document import BadFile
from escalation.configuration.nodes import MAX_BYTES
from escalation.configuration.planning import is_switched_off
from roles.admin.audited import acting, may
from roles.refusals import Conflict, Refused

SIGNS = {"+": "new", "-": "gone", "~": "changed", "!": "note"}


class PlanForm(forms.Form):
    """A file to compare with the site."""

    file = forms.FileField(label="YAML file")
    prune = forms.BooleanField(
        required=False,
        label="Switch off what a section of the file does not list",
        help_text="Left unticked, what the file does not name stays as it is.",
    )

    def clean_file(self) -> str:
        """The file's text."""
        upload: UploadedFile = self.cleaned_data["file"]
        if (upload.size or 0) > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES:,} bytes.")
        try:
            return upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError("This file is not text in UTF-8.") from None


class ApplyForm(forms.Form):
    """A plan that was seen, to be carried out as it was shown."""

    text = forms.CharField(strip=False, widget=forms.HiddenInput)
    token = forms.CharField(max_length=64, widget=forms.HiddenInput)
    prune = forms.BooleanField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="Kept in the audit."
    )


def configuration_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The page and the download, under the site's own guard."""
    return [
        path("as-a-file/", site.admin_view(configuration_page), name="escalation_configuration"),
        path(
            "as-a-file/site.yaml",
            site.admin_view(configuration_file),
            name="escalation_configuration_file",
        ),
    ]


def configuration_file(request: HttpRequest) -> HttpResponse:
    """The site's configuration, for keeping or editing."""
    _guard(request)
    response = HttpResponse(export_site(actor=acting(request)), content_type="application/yaml")
    response["Content-Disposition"] = 'attachment; filename="site.yaml"'
    return response


def configuration_page(request: HttpRequest) -> HttpResponse:
    """The upload, the plan of an uploaded file with its mistakes, and the carrying out of it."""
    _guard(request)
    if request.method == "POST" and "_apply" in request.POST:
        return _apply(request)
    if request.method == "POST":
        form = PlanForm(request.POST, request.FILES)
        if form.is_valid():
            return _planned(request, form.cleaned_data["file"], form.cleaned_data["prune"])
        return _page(request, form=form)
    return _page(request)


def _guard(request: HttpRequest) -> None:
    if not may(request, "manage_policies"):
        raise PermissionDenied


def _planned(
    request: HttpRequest, text: str, prune: bool, reason: str = "", **shown: Any
) -> HttpResponse:
    """The plan of a file and the form that applies it, or the mistakes of the file."""
    try:
        outcome = plan_text(text=text, prune=prune, actor=acting(request))
    except BadFile as bad:
        return _page(request, mistakes=bad.mistakes)
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return _page(request)
    given = {"text": text, "token": outcome.plan.token, "prune": prune, "reason": reason}
    shown.setdefault("apply_form", ApplyForm(initial=given))
    return _page(request, outcome=outcome, lines=plan_lines(outcome), **shown)


def _apply(request: HttpRequest) -> HttpResponse:
    form = ApplyForm(request.POST)
    text, prune = request.POST.get("text", ""), bool(request.POST.get("prune") == "True")
    if not form.is_valid():
        return _planned(request, text, prune, apply_form=form)
    reason = form.cleaned_data["reason"]
    try:
        outcome = apply_text(
            text=text,
            prune=prune,
            token=form.cleaned_data["token"],
            reason=reason,
            actor=acting(request),
        )
    except BadFile as bad:
        return _page(request, mistakes=bad.mistakes)
    except Conflict as refusal:
        messages.error(request, refusal.detail)
        return _planned(request, text, prune, reason)
    messages.success(request, f"Applied: {outcome.plan.summary()}")
    for touched in outcome.touched:
        messages.info(request, str(touched).removeprefix("! "))
    return HttpResponseRedirect(reverse("admin:escalation_configuration"))


def plan_lines(outcome: Outcome) -> list[tuple[str, str]]:
    """Each line of a plan with the class that it is shown by."""
    lines = [*outcome.plan.lines(), *(str(touched) for touched in outcome.touched)]
    return [(SIGNS.get(line[0], "detail"), line) for line in lines]


def _page(request: HttpRequest, **shown: Any) -> HttpResponse:
    shown.setdefault("form", PlanForm())
    outcome = shown.get("outcome")
    if outcome is not None:
        shown["switched_off"] = sum(map(is_switched_off, outcome.plan.changes))
    context = {**admin.site.each_context(request), "title": "Configuration as a file", **shown}
    return TemplateResponse(request, "admin/escalation/configuration.html", context)
