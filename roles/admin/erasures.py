"""The admin page that erases a person: what it would touch, then the act, which is final."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from roles.admin.audited import acting, may
from roles.erasing import erase_person, preview_erasure
from roles.models import Person
from roles.refusals import Refused


class ErasureForm(forms.Form):
    """Whether words go too, why, and the user name once more, so that no click does it alone."""

    words = forms.BooleanField(
        required=False,
        label="What they wrote and sent on tickets too",
        help_text="Texts, marks' comments and the bytes of files. That they were there stays.",
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Kept in the audit: name no one in it.",
    )
    again = forms.CharField(
        required=False, label="User name once more", help_text="It cannot be taken back."
    )


def erase_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what erasing a person would touch; with their user name typed, do it."""
    if not may(request, "admin"):
        raise PermissionDenied
    person = get_object_or_404(Person, pk=pk)
    username = person.username
    form = ErasureForm(request.POST or None)
    context: dict[str, Any] = {"person": person, "title": f"Erase {person}"}
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            if "_erase" in request.POST and given["again"] == username:
                erase_person(
                    person=person,
                    words=given["words"],
                    reason=given["reason"],
                    actor=acting(request),
                )
                messages.success(request, f"{username} is erased; {person} is left.")
                return HttpResponseRedirect(reverse("admin:roles_person_change", args=[pk]))
            if "_erase" in request.POST:
                form.add_error("again", "This is not their user name.")
            context["touched"] = preview_erasure(
                person=person, words=given["words"], actor=acting(request)
            )
            context["is_seen"] = True
        except Refused as refusal:
            form.add_error(None, refusal.detail)
    shared = {**admin.site.each_context(request), "opts": Person._meta, "form": form}
    return TemplateResponse(request, "admin/roles/erase.html", shared | context)
