"""Items of a story as HTML: drawn for what they say, and not again because time goes by."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.utils import translation

from tickets.models import Ticket
from web.telling import _drawn
from web.templatetags.story import told
from web.timeline import Item

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOTE = Item(
    id="event-7",
    at=NOW,
    order=7,
    tone="note",
    icon="lock",
    who="Ann",
    headline="noted",
    text="Is it **plugged** in? <script>",
)


def html(item: Item, minutes: int = 0) -> str:
    return told(item, Ticket(key="INC-000001"), NOW + timedelta(minutes=minutes), internal=True)


def test_an_item_is_drawn_once_while_time_goes_by():
    first = html(NOTE)
    drawings = _drawn.cache_info().misses
    later = html(NOTE, minutes=5)
    assert _drawn.cache_info().misses == drawings
    assert ">just now</time>" in first
    assert ">5 min ago</time>" in later
    assert "<strong>plugged</strong>" in later
    assert "<script>" not in later


def test_each_language_and_each_word_is_drawn_by_itself():
    assert "internal note" in html(NOTE)
    with translation.override("de"):
        assert "interne Notiz" in html(NOTE)
    assert "Bob" in html(replace(NOTE, who="Bob"))


def test_files_lead_to_their_ticket():
    file = {"id": 3, "name": "photo.png", "type": "image/png", "size": 2048, "erased": False}
    assert "/tickets/INC-000001/files/3" in html(replace(NOTE, files=[file]))
