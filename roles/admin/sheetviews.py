"""Admin pages of lists as files: the file to keep or edit, its plan, and the carrying out."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from roles.admin.audited import AuditedAdmin
from roles.admin.sheets import Plan, Sheet, apply_sheet, plan_sheet
from roles.refusals import Refused
from roles.sheetfiles import MAX_BYTES, write_sheet


class SheetForm(forms.Form):
    """A file to be looked at, or the text of one that was, with the token of what was seen."""

    file = forms.FileField(required=False, label="CSV file")
    text = forms.CharField(
        required=False, strip=False, max_length=MAX_BYTES, widget=forms.HiddenInput
    )
    token = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """The text, wherever it came from."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        upload = given.get("file")
        if upload is not None:
            given["text"] = self._read(upload)
        elif not given.get("text"):
            self.add_error("file", "Choose a file.")
        return given

    def _read(self, upload: Any) -> str:
        if upload.size > MAX_BYTES:
            self.add_error("file", f"The file is larger than {MAX_BYTES // 1000:,} kB.")
            return ""
        try:
            return str(upload.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", "This file is not text in UTF-8.")
            return ""


class SheetAdmin(AuditedAdmin):
    """A list that can be taken out as CSV and brought in again."""

    sheet: Sheet

    def get_urls(self) -> list[URLPattern | URLResolver]:
        guard, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("sheet.csv", guard(self.export_view), name=f"{name}_sheet"),
            path("sheet/", guard(self.import_view), name=f"{name}_sheet_import"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, with the ways to a file and back."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_sheet"
        ways = {"sheet_address": reverse(name), "sheet_query": request.GET.urlencode()}
        if self.has_add_permission(request) and self.has_change_permission(request):
            ways["sheet_import"] = reverse(f"{name}_import")
        return super().changelist_view(request, {**ways, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """The rows of the list as it is filtered, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_changelist_instance(request).get_queryset(request)
        text = write_sheet(self.sheet.columns, self.sheet.rows(self, request, found))
        response = HttpResponse(f"\ufeff{text}", content_type="text/csv; charset=utf-8")
        name = str(self.opts.verbose_name_plural).replace(" ", "-")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """A file's plan with its mistakes; and, once seen, the carrying out of all of it."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        form = SheetForm(request.POST or None, request.FILES or None)
        plan = None
        if form.is_bound and form.is_valid():
            text, seen = form.cleaned_data["text"], form.cleaned_data["token"]
            try:
                if "_apply" in request.POST:
                    plan = apply_sheet(self, request, text, seen=seen)
                    if plan.token == seen and not plan.wrong:
                        return self._done(request, plan)
                    messages.error(
                        request,
                        "Nothing was written: it would do something else by now. Look again.",
                    )
                else:
                    plan = plan_sheet(self, request, text)
                form = SheetForm(initial={"text": text, "token": plan.token})
            except Refused as refusal:
                form.add_error("file", refusal.detail)
        return self._page(request, form, plan)

    def _done(self, request: HttpRequest, plan: Plan) -> HttpResponse:
        made = sum(each.is_new for each in plan.written)
        changed = len(plan.written) - made
        messages.success(request, f"Written: {made} new, {changed} changed.")
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return HttpResponseRedirect(reverse(name))

    def _page(self, request: HttpRequest, form: SheetForm, plan: Plan | None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Bring in {self.opts.verbose_name_plural}",
            "opts": self.opts,
            "form": form,
            "plan": plan,
            "sheet": self.sheet,
            "list_address": reverse(
                f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
            ),
        }
        return TemplateResponse(request, "admin/roles/sheet.html", context)
