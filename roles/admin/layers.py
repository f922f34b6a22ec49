"""The form of a schedule with its layers: people type turns and hours, and save one revision."""

from typing import Any

from django import forms

from roles.admin.widgets import zone_select
from roles.hours import format_hours, parse_hours
from roles.models import Person, Schedule
from roles.models.oncall import MAX_SHIFT_DAYS, MAX_SHIFT_HOURS, WEEKDAYS
from roles.rosters import LayerSpec, layers_of, newest_revision
from roles.zones import validate_zone

DAYS, HOURS = "days", "hours"


class LayerForm(forms.Form):
    """One layer; the list is read from below: a later layer wins over those before it."""

    name = forms.CharField(max_length=200, help_text="As people read it, such as Nights.")
    people = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 24}),
        help_text="User names in the order of their turns.",
    )
    starts_on = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}), help_text="The first person starts here."
    )
    handover_time = forms.TimeField(
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="When the next one takes over, in the layer's time zone.",
    )
    handover_weekday = forms.TypedChoiceField(
        choices=WEEKDAYS, coerce=int, initial=0, help_text="For shifts of whole weeks."
    )
    length = forms.IntegerField(
        min_value=1,
        max_value=max(MAX_SHIFT_DAYS, MAX_SHIFT_HOURS),
        help_text="How long one person's turn is, in the unit below.",
    )
    unit = forms.ChoiceField(
        choices=[(DAYS, "days"), (HOURS, "hours")],
        initial=DAYS,
        help_text="Seven days are a week, which begins on the weekday above.",
    )
    zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=64,
        widget=zone_select("The schedule's"),
        validators=[validate_zone],
        help_text="In which this layer's hours are meant.",
    )
    hours = forms.CharField(
        label="Limited to",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 28}),
        help_text="Such as Mon-Fri 18:00-08:00; empty: all of the time.",
    )

    def clean_people(self) -> list[Person]:
        names = self.cleaned_data["people"].replace(",", " ").split()
        known = {row.username.lower(): row for row in Person.objects.filter(username__in=names)}
        unknown = [name for name in names if name.lower() not in known]
        if unknown:
            raise forms.ValidationError(f"Nobody has the user name {', '.join(unknown)}.")
        return [known[name.lower()] for name in names]

    def clean_hours(self) -> list[tuple[int, int, int]]:
        try:
            return parse_hours(self.cleaned_data["hours"])
        except ValueError as trouble:
            raise forms.ValidationError(str(trouble)) from None

    def spec(self) -> LayerSpec:
        """The layer, once the form is valid."""
        told = self.cleaned_data
        in_days = told["unit"] == DAYS
        return LayerSpec(
            name=told["name"],
            people=told["people"],
            starts_on=told["starts_on"],
            handover_time=told["handover_time"],
            handover_weekday=told["handover_weekday"],
            shift_days=told["length"] if in_days else None,
            shift_hours=None if in_days else told["length"],
            zone=told["zone"],
            restrictions=told["hours"],
        )


LayerForms = forms.formset_factory(LayerForm, extra=1, can_delete=True, can_order=True)


class ScheduleForm(forms.ModelForm):
    """A schedule together with the layers of its newest revision."""

    valid_from = forms.DateTimeField(
        required=False, help_text="Empty: from now on. The past never changes."
    )
    reason = forms.CharField(
        required=False, max_length=500, help_text="Kept with this state of the layers."
    )

    class Meta:
        model = Schedule
        fields = ["team", "name", "zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = newest_revision(self.instance) if self.instance.pk else None
        present = layers_of(newest) if newest else []
        self.layers = LayerForms(
            self.data if self.is_bound else None,
            prefix="layers",
            initial=[_initial(layer) for layer in present],
        )

    def is_valid(self) -> bool:
        if super().is_valid() and not self.layers.is_valid():
            self.add_error(None, "A layer below needs to be corrected.")
        return super().is_valid()

    def has_changed(self) -> bool:
        return super().has_changed() or self.layers.has_changed()

    def layer_specs(self) -> list[LayerSpec]:
        """The layers as they shall be, lowest first, once the form is valid."""
        return [form.spec() for form in self.layers.ordered_forms]


def _initial(layer: LayerSpec) -> dict[str, Any]:
    return {
        "name": layer.name,
        "people": "\n".join(person.username for person in layer.people),
        "starts_on": layer.starts_on,
        "handover_time": layer.handover_time,
        "handover_weekday": layer.handover_weekday,
        "length": layer.shift_days or layer.shift_hours,
        "unit": HOURS if layer.shift_days is None else DAYS,
        "zone": layer.zone,
        "hours": format_hours(layer.restrictions),
    }
