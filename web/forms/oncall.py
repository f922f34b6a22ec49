"""What is asked before somebody stands in, or offers a shift to somebody else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.models import Person
from roles.rotation import Shift
from web.forms.base import PageForm

LOCAL: Final = "%Y-%m-%dT%H:%M"
FORMATS: Final = (LOCAL, "%Y-%m-%dT%H:%M:%S")


class Moment(forms.CharField):
    """An instant as an address carries it: ISO 8601 with its offset, exact over clock changes."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError(gettext_lazy("These hours cannot be read.")) from None
        if found.tzinfo is None:
            raise forms.ValidationError(gettext_lazy("These hours have no time zone."))
        return found


def local_field(label: Any) -> forms.DateTimeField:
    """A time in the zone of the page; empty to leave it as it is."""
    return forms.DateTimeField(
        label=label,
        required=False,
        input_formats=FORMATS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
    )


class HoursForm(PageForm):
    """A stretch of a schedule: the one that was pressed, or others typed in."""

    begins = Moment(required=False)
    ends = Moment(required=False)
    other_start = local_field(gettext_lazy("From"))
    other_end = local_field(gettext_lazy("Until"))
    reason = forms.CharField(
        label=gettext_lazy("Why?"), required=False, max_length=500, widget=forms.TextInput
    )

    def clean(self) -> dict[str, Any]:
        """Both ends must be known, from the shift that was pressed or typed in."""
        data = super().clean() or {}
        for name, other in (("begins", "other_start"), ("ends", "other_end")):
            if not (data.get(name) or data.get(other) or self.errors):
                self.add_error(other, _("Say from when until when."))
        return data

    def hours(self) -> tuple[datetime, datetime]:
        """From when to when, after validation."""
        data = self.cleaned_data
        return data["other_start"] or data["begins"], data["other_end"] or data["ends"]

    @property
    def has_other_hours(self) -> bool:
        """Whether the part for other hours should stand open."""
        names = ("other_start", "other_end")
        return any(self.data.get(name) for name in names) or any(self[n].errors for n in names)


class PersonChoice(forms.ModelChoiceField):
    """People by name and, where two share one, by user name."""

    def label_from_instance(self, obj: Person) -> str:  # type: ignore[override]
        return obj.name


class StandInForm(HoursForm):
    """Who serves these hours in place of the schedule."""

    person = PersonChoice(
        label=gettext_lazy("Who serves?"),
        queryset=Person.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": gettext_lazy("Choose who serves.")},
    )

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = [person.pk for person in people]
        self.fields["person"].queryset = Person.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        if len(people) == 1:
            self.initial.setdefault("person", people[0].pk)


class SwapForm(HoursForm):
    """To whom one's own shift is offered, and which of theirs one would serve in return."""

    exchange = forms.ChoiceField(
        label=gettext_lazy("Whom do you ask?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose whom you ask.")},
    )

    def __init__(
        self,
        *args: Any,
        people: Sequence[Person],
        shifts: Sequence[Shift],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        names = {person.pk: person.name for person in people}
        self.options: dict[str, tuple[int, tuple[datetime, datetime] | None]] = {
            str(person.pk): (person.pk, None) for person in people
        }
        alone = _("%(name)s, for nothing in return")
        choices = [(str(pk), alone % {"name": name}) for pk, name in names.items()]
        for shift in shifts:
            if shift.person_id in names:
                value = f"{shift.person_id}@{shift.start.isoformat()}"
                self.options[value] = (shift.person_id, (shift.start, shift.end))
                choices.append((value, _exchange_words(names[shift.person_id], shift)))
        self.fields["exchange"].choices = choices  # type: ignore[attr-defined]

    def chosen(self) -> tuple[int, tuple[datetime, datetime] | None]:
        """The id of the person asked, and the hours in return; after validation."""
        return self.options[self.cleaned_data["exchange"]]


def _exchange_words(name: str, shift: Shift) -> str:
    hours = f"{_short(shift.start)} – {_short(shift.end)}"  # noqa: RUF001 (between two times)
    return _("%(name)s, and you serve %(hours)s") % {"name": name, "hours": hours}


def _short(at: datetime) -> str:
    return date_format(timezone.localtime(at), _("D j M, H:i"))
