"""The marks that mean the same on every page: priority, status, deadlines, times, people."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from escalation.outlook import NextStep
from notifications.addresses import shown_address as shown
from notifications.shipped import reason_in
from roles.people import is_allowed
from tickets import states
from tickets.priority import LABELS as PRIORITY_LABELS
from web.bulk import BulkKind, kinds_for
from web.countdowns import Countdown, age_text, clock_text, coming_text, duration_text
from web.forms.reach import label_of
from web.icons import drawing
from web.markdown import html_of
from web.once import FIELD, fresh_token
from web.places import Shown, places_for
from web.readers import is_agent
from web.retold import retold
from web.timeline import in_reader_zone
from web.wording import inline, worded

register = template.Library()


@register.filter
def reached(step: NextStep) -> str:
    """Whom a coming step would reach, each with the role in which they are told."""
    return ", ".join(
        f"{name} ({retold(role)})" if role else retold(name) for name, role in step.reached
    )


DASH = "\u2013"

PRIORITY_ICONS = {
    1: "octagon-alert",
    2: "triangle-alert",
    3: "diamond",
    4: "circle",
    5: "minus",
}
STATUS_ICONS = {
    states.NEW: "circle-dashed",
    states.WAITING: "inbox",
    states.IN_PROGRESS: "circle-play",
    states.PENDING_REQUESTER: "circle-pause",
    states.PENDING_VENDOR: "circle-pause",
    states.PENDING_CHANGE: "circle-pause",
    states.RESOLVED: "circle-check",
    states.CLOSED: "archive",
    states.CANCELLED: "circle-x",
}
STATUS_WORDS = {
    states.WAITING: _("Waiting"),
    states.IN_PROGRESS: _("In progress"),
    states.PENDING_REQUESTER: _("Requester"),
    states.PENDING_VENDOR: _("Vendor"),
    states.PENDING_CHANGE: _("Change"),
}
"""The statuses in a word, for lists: behind the sign of waiting stands for whom."""
TONE_ICONS = {"calm": "clock", "soon": "hourglass", "late": "flame", "paused": "circle-pause"}


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """An inline drawing that screen readers pass over; its meaning stands in words beside it."""
    return drawing(str(name), size)


@register.simple_tag
def priority(level: int, *, short: bool = False) -> SafeString:
    """A priority as shape, code and word."""
    word = worded(PRIORITY_LABELS.get(level, ""))
    return format_html(
        '<span class="priority priority-{}">{}<b>P{}</b> <span class="{}">{}</span></span>',
        level,
        icon(PRIORITY_ICONS.get(level, "circle")),
        level,
        "priority-word sr-only" if short else "priority-word",
        word,
    )


@register.simple_tag
def status(name: str, *, short: bool = False) -> SafeString:
    """A status as shape and word; a short one says the whole in its title."""
    whole = worded(states.LABELS.get(name, name))
    return format_html(
        '<span class="status status-{}" title="{}">{}<span>{}</span></span>',
        name.split("_", maxsplit=1)[0],
        whole if short else "",
        icon(STATUS_ICONS.get(name, "circle")),
        STATUS_WORDS.get(name, whole) if short else whole,
    )


@register.simple_tag
def tier(held: Any) -> SafeString:
    """A tier or lane as a chip; a rung shows its number."""
    if held is None:
        return mark_safe("")
    if held.rank is None:
        return format_html(
            '<span class="tier tier-lane" title="{}">{}</span>', held.name, gettext("Lane")
        )
    return format_html('<span class="tier" title="{}">L{}</span>', held.name, held.rank)


@register.simple_tag
def due(shown: Countdown, label: str = "") -> SafeString:
    """A deadline that ticks in the browser and is right without; the exact time is its title."""
    mark = icon(TONE_ICONS[shown.tone]) if shown.tone in TONE_ICONS else ""
    if shown.due_at is None:
        words = shown.text if shown.tone == "paused" else gettext("no deadline")
        return format_html(
            '<span class="due due-{}">{}<span>{}</span></span>', shown.tone, mark, words
        )
    return format_html(
        '<time class="due due-{}" datetime="{}" title="{}{}" data-due="{}" data-soon="{}">{}'
        '<span class="due-text">{}</span></time>',
        shown.tone,
        shown.due_at.isoformat(),
        f"{label}: " if label else "",
        exact(shown.due_at),
        _milliseconds(shown.due_at),
        _milliseconds(shown.soon_at or shown.due_at),
        mark,
        shown.text,
    )


@register.simple_tag
def ago(at: datetime | None, now: datetime) -> SafeString:
    """A time as its distance from now; the exact time is its title."""
    if at is None:
        return format_html('<span class="muted">{}</span>', DASH)
    return format_html(
        '<time datetime="{}" title="{}" data-ago="{}">{}</time>',
        at.isoformat(),
        exact(at),
        _milliseconds(at),
        age_text(at, now),
    )


@register.simple_tag
def coming(at: datetime | None, now: datetime) -> SafeString:
    """How far ahead a time is, "now" once it has come; the exact time is its title."""
    if at is None:
        return format_html('<span class="muted">{}</span>', DASH)
    return coming_in(at, coming_text(at, now))


@register.simple_tag
def coming_in(at: datetime, words: str) -> SafeString:
    """The same where the distance is in words already."""
    return format_html(
        '<time datetime="{}" title="{}" data-coming="{}">{}</time>',
        at.isoformat(),
        exact(at),
        _milliseconds(at),
        words,
    )


@register.filter
def exact(at: datetime | None) -> str:
    """A time in the reader's zone, to the second, with the zone's name."""
    if at is None:
        return DASH
    language, zone = translation.get_language() or "", timezone.get_current_timezone_name()
    return _exact(at, language, zone)


@lru_cache(maxsize=4096)
def _exact(at: datetime, language: str, zone: str) -> str:
    """Pages show the same moments over and over, in the language and zone of now."""
    local = timezone.localtime(at)
    told = date_format(local, gettext("D j M Y, H:i:s"))
    return f"{told} {local.tzname()}"


@register.filter
def clock_time(at: datetime | None) -> str:
    """Hour and minute in the reader's zone; with the day when it is not today, and its year."""
    return DASH if at is None else clock_text(at)


@register.filter
def duration(seconds: float) -> str:
    """A length of time in at most two units."""
    return duration_text(seconds)


@register.filter
def percent(share: float | None) -> str:
    """A share in whole percent: "45 %"; a dash where nothing was measured."""
    return f"{round(100 * share)} %" if share is not None else "-"


@register.filter(name="worded")
def worded_label(label: object) -> str:
    """A word of the floors below in the reader's language."""
    return worded(label)


@register.filter(name="inline")
def inline_label(label: object) -> str:
    """The same within a sentence."""
    return inline(label)


@register.filter
def reader_zone(line: str) -> str:
    """A stored sentence in the reader's language, its instants in the reader's zone."""
    return in_reader_zone(retold(line))


@register.filter(name="retold")
def retold_sentence(line: object) -> str:
    """A sentence of the floors below in the reader's language."""
    return retold(line)


@register.filter
def markdown(text: str) -> SafeString:
    """What somebody wrote, as safe HTML."""
    return html_of(text)


@register.filter
def shown_address(method: Any) -> str:
    """The address of a contact method as its owner knows it."""
    return shown(method.channel, method.address)


@register.filter
def told_reason(reason: str) -> str:
    """Why a message or a try ended, in the reader's language."""
    return reason_in(translation.get_language() or "en", reason)


@register.filter
def channel_label(channel: str) -> str:
    """A channel of messages as people call it."""
    return label_of(channel)


@register.filter
def milliseconds(at: datetime) -> int:
    """An instant as browsers count it."""
    return _milliseconds(at)


@register.simple_tag
def person(somebody: Any, *, nobody: str = "", vip_first: bool = False) -> SafeString:
    """A person's name, with the VIP mark in words and shape; first where a name may be cut."""
    if somebody is None:
        return format_html('<span class="muted">{}</span>', nobody or gettext("nobody"))
    mark = (
        format_html('<span class="vip" title="VIP">{}<span>VIP</span></span>', icon("star", 12))
        if somebody.is_vip
        else ""
    )
    name = format_html('<span class="person">{}</span>', str(somebody))
    return format_html("{}{}", *((mark, name) if vip_first else (name, mark)))


@register.simple_tag
def address_of(name: str) -> str:
    """The address of a page that this site may or may not have; empty when it has not."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@register.simple_tag
def works_here(somebody: Any) -> bool:
    """Whether a signed-in person works for the service, and so sees more than own requests."""
    return bool(getattr(somebody, "is_authenticated", False)) and is_agent(somebody)


@register.simple_tag
def sees_figures(somebody: Any) -> bool:
    """Whether the figures of the service are open to this person."""
    return is_allowed(somebody, "see_dashboard")


@register.simple_tag(takes_context=True)
def places(context: Any) -> list[Shown]:
    """The places of the navigation that are open to whoever looks at this page."""
    return places_for(context["user"], context.get("here", ""))


@register.simple_tag
def script_words() -> SafeString:
    """The few words that scripts say by themselves, in the reader's language."""
    said = {
        "late": gettext("late by %(time)s"),
        "ahead": gettext("in %(time)s"),
        "ago": gettext("%(time)s ago"),
        "just-now": gettext("just now"),
        "at-once": gettext("now"),
        "failed": gettext("That did not work. Reload the page and try again."),
    }
    spoken = format_html_join("", ' data-{}="{}"', said.items())
    return format_html('<template id="words"{}></template>', spoken)


@register.simple_tag
def form_token(form: Any = None) -> SafeString:
    """The hidden field by which a form that is sent twice does its work once.

    A form that was refused, or asks something first, keeps the token that it came with.
    """
    held = form.data.get(FIELD, "") if form is not None else ""
    token = held or fresh_token()
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, token)


@register.simple_tag(takes_context=True)
def bulk_kinds(context: Any) -> list[BulkKind]:
    """The acts on many tickets that whoever looks at this page may do on some."""
    return kinds_for(context["user"])
