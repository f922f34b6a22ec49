"""A field that names a person by user name, e-mail or full name, with the likely ones offered."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from roles.models import DutyAssignment, Membership, Person

MOST_OFFERED = 300


class PersonInput(forms.TextInput):
    """A text input with a list of names to choose from; other people can be typed."""

    template_name = "web/forms/person.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", **(attrs or {})})
        self.offered: Iterable[Person] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The widget's context, with those who are offered and the id of their list."""
        context = super().get_context(name, value, attrs)
        context["offered"] = self.offered
        listed = f"{context['widget']['attrs'].get('id', name)}_people"
        context["list_id"] = context["widget"]["attrs"]["list"] = listed
        return context

    def format_value(self, value: Any) -> str | None:
        """What stands in the input: the user name of a chosen person."""
        return value.username if isinstance(value, Person) else super().format_value(value)


class PersonField(forms.CharField):
    """An active person; None for an empty field. Raises ValidationError for nobody and for many."""

    widget = PersonInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def offer(self, people: QuerySet[Person]) -> None:
        """Offer these in the list, by name."""
        self.widget.offered = people.order_by("name")[:MOST_OFFERED]

    def clean(self, value: Any) -> Any:
        """The person meant by what was typed."""
        typed = super().clean(value)
        if not typed:
            return None
        active = Person.objects.filter(is_active=True)
        by_account = Q(username__iexact=typed) | (Q(email__iexact=typed) & ~Q(email=""))
        found = list(active.filter(by_account)[:2]) or list(active.filter(name__iexact=typed)[:2])
        if not found:
            raise forms.ValidationError(_("Nobody who is active has this name."))
        if len(found) > 1:
            raise forms.ValidationError(_("Several people have this name; type the user name."))
        return found[0]


def working_here() -> QuerySet[Person]:
    """The active people with a place in a team or a duty."""
    placed = Membership.objects.filter(person=OuterRef("pk"))
    serving = DutyAssignment.objects.filter(person=OuterRef("pk"))
    people = Person.objects.filter(is_active=True, kind=Person.Kind.PERSON)
    return people.filter(Exists(placed) | Exists(serving))
