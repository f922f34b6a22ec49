"""What is asked when an article is written."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from escalation.models import Policy
from tickets.articles import BODY_MAX
from tickets.models import Article, Category, Service
from tickets.models.knowledge import TITLE_MAX
from web.forms.base import PageForm
from web.wording import worded_choices


class ArticleForm(PageForm):
    """An article, or a runbook when it has a checklist."""

    title = forms.CharField(
        label=_("Title"),
        max_length=TITLE_MAX,
        widget=forms.TextInput(attrs={"placeholder": _("Connect to the VPN from home")}),
        help_text=_("As somebody would ask for it, not as we would file it."),
        error_messages={"required": _("Say in a few words what it is about.")},
    )
    body = forms.CharField(
        label=_("What helps"),
        max_length=BODY_MAX,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_("Markdown: **bold**, lists with - or 1., ## headings, [links](https://…)."),
        error_messages={"required": _("Write what helps.")},
    )
    audience = forms.ChoiceField(
        label=_("Who may read it?"),
        choices=worded_choices(Article.Audience.choices),
        widget=forms.RadioSelect,
    )
    keywords = forms.CharField(
        label=_("Other words for it"),
        required=False,
        max_length=300,
        help_text=_("Words that people use and that do not stand in the text."),
    )
    services = forms.ModelMultipleChoiceField(
        label=_("Services"),
        queryset=Service.objects.filter(is_active=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    categories = forms.ModelMultipleChoiceField(
        label=_("Categories"),
        queryset=Category.objects.filter(is_active=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    items = forms.CharField(
        label=_("Checklist"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("One step a line. An article with a checklist is a runbook: its steps are "
                    "ticked on each ticket."),
    )  # fmt: skip
    steps = forms.MultipleChoiceField(
        label=_("Shown at these policy steps"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The runbook comes up on a ticket once one of these steps has fired."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.initial.get("steps") or []
        known = policy_steps()
        listed = {label for _policy, steps in known for label, _name in steps}
        gone = [(label, label) for label in kept if label not in listed]
        self.fields["steps"].choices = [*known, *gone]  # type: ignore[attr-defined]
        if not self.fields["steps"].choices:  # type: ignore[attr-defined]
            del self.fields["steps"]

    def clean_items(self) -> list[str]:
        """The steps, without empty lines."""
        lines = self.cleaned_data["items"].splitlines()
        return [line.strip().removeprefix("- ") for line in lines if line.strip()]


def policy_steps() -> list[tuple[str, list[tuple[str, str]]]]:
    """The policies in force, each with its steps as runbooks name them, and their own names."""
    active = Policy.objects.filter(is_active=True, current__isnull=False)
    named = active.values_list("name", "slug", "current__steps__name").order_by(
        "position", "current__steps__position"
    )
    found: dict[str, dict[str, str]] = {}
    for policy, slug, step in named:
        if step:
            found.setdefault(policy, {})[f"{slug}: {step}"] = step
    return [(policy, list(steps.items())) for policy, steps in found.items()]


def initial_of(article: Article) -> dict[str, Any]:
    """The working draft as the form shows it."""
    return {
        "title": article.title,
        "body": article.body,
        "audience": article.audience,
        "keywords": article.keywords,
        "services": list(article.services.values_list("pk", flat=True)),
        "categories": list(article.categories.values_list("pk", flat=True)),
        "items": "\n".join(article.items),
        "steps": article.steps,
    }
