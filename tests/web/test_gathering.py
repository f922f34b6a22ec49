"""Many policies that begin or end at once take one line of a ticket's story."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from web.gathering import gathered

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def item(headline, *, after_s=0, tone="quiet", icon="play", text="", who="Tierline"):
    at = AT - timedelta(seconds=after_s)
    given = {"tone": tone, "icon": icon, "text": text, "who": who}
    return SimpleNamespace(at=at, headline=headline, details=[], **given)


def test_what_began_at_once_is_one_line_that_names_all():
    told = gathered([item("started A"), item("started B"), item("started C", after_s=1)])
    assert [each.headline for each in told] == ["started A and 2 more"]
    assert told[0].details == ["started A", "started B", "started C"]


def test_what_stands_apart_stays_apart():
    given = [
        item("stopped A", icon="square"),
        item("started A"),
        item("took it", tone="act", icon="hand", who="Ada"),
        item("started B"),
        item("started C", after_s=60),
        item("started D", after_s=60, who="Ada"),
        item("started E", after_s=60, text="because"),
    ]
    before = [each.headline for each in given]
    assert [each.headline for each in gathered(given)] == before
    assert not any(each.details for each in given)
