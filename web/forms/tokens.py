"""What somebody says of a new token: where it is used, what for, and for how long."""

from datetime import datetime, timedelta
from typing import Any, Final, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.models import Person
from roles.models.tokens import Scope
from roles.people import is_allowed, roles_of
from web.forms.base import PageForm

WORDS: Final = {
    Scope.TICKETS_READ: _("Read tickets"),
    Scope.TICKETS_WRITE: _("Open tickets and act on them"),
    Scope.CATALOG_READ: _("Read teams, services, schedules, policies and articles"),
    Scope.KNOWLEDGE_WRITE: _("Write articles"),
    Scope.ROSTER_WRITE: _("Change who is on call"),
    Scope.ADMIN_READ: _("Read configuration and the audit"),
    Scope.ADMIN_WRITE: _("Change configuration, people, tokens and webhooks"),
}
INSIDE: Final = (Scope.KNOWLEDGE_WRITE, Scope.ROSTER_WRITE)
ADMIN: Final = (Scope.ADMIN_READ, Scope.ADMIN_WRITE)
NEVER: Final = "never"
LIVES: Final = (
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("A year")),
    (NEVER, _("Until I revoke it")),
)


def scopes_for(person: Person) -> list[tuple[str, Any]]:
    """The scopes that can do anything for this person, each in words."""
    useless = set[Scope]()
    if not roles_of(person) - {"requester"}:
        useless |= set(INSIDE)
    if not is_allowed(person, "admin"):
        useless |= set(ADMIN)
    return [(scope.value, words) for scope, words in WORDS.items() if scope not in useless]


class TokenForm(PageForm):
    """Name, scopes and life of a new token."""

    name = forms.CharField(
        label=_("Where you will use it"),
        max_length=200,
        help_text=_("So that you know later which one to revoke, such as: backup script on db-1."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("It can never do more than you may yourself."),
    )
    life = forms.ChoiceField(label=_("How long it works"), choices=LIVES)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # They depend on whose token it is, which the class cannot know.
        cast(forms.MultipleChoiceField, self.fields["scopes"]).choices = scopes_for(person)

    def expires_at(self, now: datetime) -> datetime | None:
        """When it ends; None for never."""
        life = self.cleaned_data["life"]
        return None if life == NEVER else now + timedelta(days=int(life))
