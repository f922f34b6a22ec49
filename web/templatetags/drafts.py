"""The small parts of a draft's form: selects, units, buttons, and the places of mistakes."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.checking import NEEDED
from web.drafts import UNITS
from web.forms.policies import StepRows, place_of, with_chosen
from web.retold import retold
from web.templatetags.tierline import icon

register = template.Library()
BUTTONS = {
    "up": gettext_lazy("Move step %(number)s up"),
    "down": gettext_lazy("Move step %(number)s down"),
    "remove": gettext_lazy("Remove step %(number)s"),
}


def _path(path: str, name: str) -> str:
    return f"{path}.{name}" if name else path


@register.simple_tag(takes_context=True)
def error_at(context: Context, path: str, name: str = "", *, oob: bool = False) -> SafeString:
    """The place where the mistake at a path is shown, empty while there is none."""
    whole = _path(path, name)
    text = retold(context["form"].errors.get(whole, ""))
    swap = mark_safe(' hx-swap-oob="true"') if oob else ""
    return format_html('<p class="field-error" id="{}"{}>{}</p>', place_of(whole), swap, text)


@register.simple_tag(takes_context=True)
def described(context: Context, path: str, name: str = "") -> SafeString:
    """The attributes that tie a field to the place of its mistake."""
    whole = _path(path, name)
    wrong = mark_safe(' aria-invalid="true"') if whole in context["form"].errors else ""
    return format_html(' aria-describedby="{}"{}', place_of(whole), wrong)


@register.simple_tag(takes_context=True)
def again(context: Context) -> SafeString:
    """The attributes of a field whose change brings or takes other fields."""
    return format_html(
        'hx-post="{}" hx-trigger="change" hx-target="#draft" hx-swap="outerHTML" hx-vals=\'{}\'',
        context["request"].path,
        mark_safe('{"act": "recheck"}'),
    )


@register.simple_tag
def options(choices: Iterable[tuple[Any, Any]], chosen: Any = "") -> SafeString:
    """The options of a select, the chosen one selected."""
    rows = (
        (value, mark_safe(" selected") if str(value) == str(chosen) else "", label)
        for value, label in choices
    )
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


@register.simple_tag
def offered(families: Mapping[str, SafeString], family: str, chosen: str = "") -> SafeString:
    """The options of an action's targets or of a condition's values, the chosen one selected."""
    return with_chosen(families.get(family, SafeString()), chosen)


@register.simple_tag
def needs(step: StepRows, name: str) -> bool:
    """Whether the step's trigger goes by this field."""
    return name in NEEDED.get(step.values.get("trigger", ""), ())


@register.simple_tag
def unit_select(name: str, chosen: str) -> SafeString:
    """The select of a duration's unit."""
    return format_html(
        '<select class="control unit" name="{}-unit" aria-label="{}">{}</select>',
        name,
        _("Unit"),
        options([(unit, unit) for unit in UNITS], chosen),
    )


@register.simple_tag
def unit_of(at: str, name: str, chosen: str) -> SafeString:
    """The select of the unit of a step's duration."""
    return unit_select(f"{at}-{name}", chosen)


@register.simple_tag(takes_context=True)
def step_button(context: Context, verb: str, number: int, name: str, disabled: bool) -> SafeString:
    """A button that moves or removes a step, with and without script."""
    words = str(BUTTONS[verb]) % {"number": number}
    return format_html(
        '<button class="button button-quiet" type="submit" name="act" value="{}-{}" id="{}-{}"'
        ' aria-label="{}" title="{}" hx-post="{}" hx-target="#draft" hx-swap="outerHTML"{}>'
        "{}</button>",
        verb,
        number - 1,
        verb,
        number,
        words,
        words,
        context["request"].path,
        mark_safe(" disabled") if disabled else "",
        icon(name),
    )
