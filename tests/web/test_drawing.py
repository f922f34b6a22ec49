"""Rows of the queue as HTML: drawn for what they show, and not again because time goes by."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from web.countdowns import countdown
from web.drawing import _drawn, drawn
from web.rows import Row

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = NOW + timedelta(hours=3)


def row(now: datetime, subject: str = "A till & a half") -> Row:
    team = SimpleNamespace(name="Network", tier=SimpleNamespace(name="L2 Support", rank=2))
    given = {"is_major": False, "restricted": False, "is_open": True, "priority": 2}
    given |= {"requester": None, "assignee": None, "owner": None, "owner_team": "Desk"}
    ticket = SimpleNamespace(
        key="INC-000001", subject=subject, status="in_progress", team=team, **given
    )
    step = SimpleNamespace(step=SimpleNamespace(name="Tell the lead"), at=DUE)
    return Row(ticket, countdown(DUE, now, target_s=36000), "Resolution", step, "lead")


def lines(now: datetime, **more: str):
    return drawn([row(now, **more)], now, for_agent=True, may_choose=True).lines


def test_a_row_says_how_long_is_left_and_is_drawn_once_while_that_changes():
    (before,) = lines(NOW)
    drawings = _drawn.cache_info().misses
    (later,) = lines(NOW + timedelta(minutes=10))
    assert _drawn.cache_info().misses == drawings
    assert before.mark == later.mark
    for line, left in ((before, "3 h"), (later, "2 h 50 min")):
        assert f'<span class="due-text">{left}</span>' in line.html
        assert f">in {left}</time>" in line.html
        assert "A till &amp; a half" in line.html


def test_a_row_is_drawn_anew_once_it_is_late_or_says_something_else():
    (before,) = lines(NOW)
    (late,) = lines(DUE + timedelta(minutes=5))
    assert "tone-late" in late.html
    assert "late by 5 min" in late.html
    assert late.mark == before.mark, "that it is late the page sees by itself"
    (other,) = lines(NOW, subject="Another")
    assert other.mark != before.mark
