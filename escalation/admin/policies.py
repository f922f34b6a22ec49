"""Admin pages of policies: what is in force in plain words, a draft to edit, and publishing it."""

from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from escalation.admin.configuration import configuration_urls
from escalation.admin.guard import PolicyGuard
from escalation.admin.wording import condition_words, repeat_words, step_words
from escalation.checking import STEP_FIELDS
from escalation.models import Policy, PolicyRevision, PolicyStep
from escalation.moving import Moved, move_runs
from escalation.policies import Publication, draft_policy, preview, publish_policy
from escalation.touching import touched
from roles import audit
from roles.admin.audited import acting
from roles.models import Person
from roles.refusals import Conflict

FIRST_STEP: Final = {
    "name": "Remind who is on call",
    "trigger": PolicyStep.Trigger.UNACKNOWLEDGED,
    "delay_s": 3600,
    "actions": [{"do": "notify", "to": ["on_call"]}],
}


def draft_of(policy: Policy) -> PolicyRevision | None:
    """The policy's one draft, if it has any."""
    return PolicyRevision.objects.filter(policy=policy, published_at=None).first()


def page_of(revision: PolicyRevision) -> str:
    """Where a revision is read and, while it is a draft, edited."""
    return reverse("admin:escalation_policyrevision_change", args=[revision.pk])


def revision_words(revision: PolicyRevision) -> SafeString:
    """A revision as a short text: when it applies, its steps in order, how often it repeats."""
    steps = format_html_join(
        "", "<li><b>{}</b><br>{}</li>", ((step.name, step_words(step)) for step in
        revision.steps.order_by("position")),
    )  # fmt: skip
    return format_html(
        "<p>Revision {}. Applies when: {}. Repeats: {}.</p><ol>{}</ol>",
        revision.number,
        condition_words(revision.conditions),
        repeat_words(revision),
        steps,
    )


def published_words(published: Publication) -> str:
    """What publishing came to, as a message."""
    changes = " ".join(published.difference.sentences)
    number = published.revision.number
    return f"Revision {number} is in force. {changes} {published.touched.sentence}"


def moved_words(moved: Moved) -> str:
    """What moving climbs came to, as a message."""
    left = f" {moved.left} no longer fit its conditions and stay." if moved.left else ""
    return f"{moved.moved} climbs go on under the current revision.{left}"


@admin.register(Policy)
class PolicyAdmin(PolicyGuard):
    """Policies in the order in which they are tried; the first that fits runs."""

    help_texts = {
        "description": "What it is for, for whoever meets its name on a ticket.",
        "mode": "Whether it stands for the ticket alone, or beside the others that fit.",
    }
    list_display = ["position", "name", "mode", "is_active", "in_short", "revision"]
    list_display_links = ["name"]
    list_filter = ["is_active", "mode"]
    list_select_related = ["current"]
    search_fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "description"]}),
        ("When it is tried", {"fields": [("position", "mode", "is_active")]}),
        ("In force", {"fields": ["in_force"]}),
        ("Draft", {"fields": ["draft", "what_changes"]}),
        ("Running climbs", {"fields": ["climbs"]}),
    ]
    readonly_fields = ["in_force", "draft", "what_changes", "climbs"]

    def get_urls(self) -> list[Any]:
        return [*configuration_urls(self.admin_site), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.fieldsets[:2]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return super().get_prepopulated_fields(request, obj) if obj is None else {}

    @admin.display(description="applies when")
    def in_short(self, policy: Policy) -> str:
        return condition_words(policy.current.conditions) if policy.current else "not published"

    @admin.display()
    def revision(self, policy: Policy) -> int | None:
        return policy.current.number if policy.current else None

    @admin.display(description="what runs")
    def in_force(self, policy: Policy) -> str:
        return revision_words(policy.current) if policy.current else "Nothing is published yet."

    @admin.display(description="what waits to be published")
    def draft(self, policy: Policy) -> str:
        revision = draft_of(policy)
        if revision is None:
            return "There is no draft."
        link = format_html('<p><a href="{}">Open the draft</a></p>', page_of(revision))
        return revision_words(revision) + link

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Policy | None:
        found = super().get_object(request, *args, **kwargs)
        if found is not None:
            # Which tickets are named depends on who reads the page.
            found._reader = acting(request)  # type: ignore[attr-defined]
        return found

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form, with those buttons for which there is something to do."""
        policy = context.get("original")
        if policy is not None:
            older = touched(policy, policy.current, acting(request)) if policy.current else None
            context["has_draft"] = draft_of(policy) is not None
            context["has_older_climbs"] = older is not None and older.count > 0
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="what publishing it changes")
    def what_changes(self, policy: Policy) -> str:
        if draft_of(policy) is None:
            return "Nothing: there is no draft."
        reader: Person = policy._reader  # type: ignore[attr-defined]
        try:
            coming = preview(policy=policy, actor=reader)
        except Conflict as refused:
            return refused.detail
        lines = [*coming.difference.sentences, coming.touched.sentence]
        return format_html(
            "<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((x,) for x in lines))
        )

    @admin.display(description="on older revisions")
    def climbs(self, policy: Policy) -> str:
        if policy.current is None:
            return "Nothing is published yet."
        reader: Person = policy._reader  # type: ignore[attr-defined]
        return touched(policy, policy.current, reader).sentence

    def response_change(self, request: HttpRequest, obj: Policy) -> HttpResponse:
        if "_draft" in request.POST:
            return HttpResponseRedirect(page_of(self._draft(request, obj)))
        if "_publish" in request.POST:
            published = publish_policy(policy=obj, actor=acting(request))
            messages.success(request, published_words(published))
            return HttpResponseRedirect(request.path)
        if "_move" in request.POST:
            reason = request.POST.get("move_reason", "")
            moved = move_runs(policy=obj, actor=acting(request), reason=reason)
            messages.success(request, moved_words(moved))
            return HttpResponseRedirect(request.path)
        return super().response_change(request, obj)

    def response_add(
        self, request: HttpRequest, obj: Policy, post_url_continue: str | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(page_of(self._draft(request, obj)))

    def _draft(self, request: HttpRequest, policy: Policy) -> PolicyRevision:
        """The policy's draft, made from what is in force if there is none."""
        held = draft_of(policy)
        if held is not None:
            return held
        current = policy.current
        steps = list(current.steps.order_by("position").values(*STEP_FIELDS)) if current else []
        revision = draft_policy(
            policy=policy,
            conditions=current.conditions if current else [],
            steps=steps or [FIRST_STEP],
            repeat_limit=current.repeat_limit if current else 0,
            repeat_after_s=current.repeat_after_s if current else 600,
            stop_on=current.stop_on if current else [],
            actor=acting(request),
        )
        audit.record(
            actor=acting(request),
            action="policy.drafted",
            subject=policy,
            changes={"revision": revision.number},
        )
        return revision
