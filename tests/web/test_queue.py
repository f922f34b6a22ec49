"""The queue page."""

import gzip
import re
from datetime import timedelta
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from escalation.models import Clock
from roles.models import Duty, DutyAssignment
from roles.teams import add_member
from tickets.assignment import take, watch
from tickets.models import Ticket
from tickets.opening import open_ticket
from web import sorting
from web.counting import count_standing
from web.readers import know
from web.sorting import PAGE_ROWS, SORTS, UPDATED, ordered
from web.standingviews import first_rows, scope_of, with_around
from web.tabs import AGENT_VIEWS, tickets_in

QUERIES_MAX = 10


def queries_of(client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as taken:
        response = client.get(url)
    assert response.status_code == 200
    return [query["sql"][:150] for query in taken]


def open_more(stage, count: int) -> None:
    for number in range(count):
        open_ticket(requester=stage.bo, actor=stage.bo, subject=f"One more {number}")


def test_the_queue_costs_the_same_whatever_the_rows(stage, sign_in):
    client = sign_in(stage.ines)
    few = queries_of(client, "/?view=all")
    open_more(stage, 30)
    many = queries_of(client, "/?view=all")
    assert len(many) <= QUERIES_MAX, "\n".join(many)
    assert len(many) == len(few)


LIVE = {"HX-Request": "true", "HX-Target": "queue-live", "X-Live": "1"}


def test_a_live_page_is_sent_nothing_that_it_shows_already(stage, sign_in):
    client = sign_in(stage.ines)
    shown = client.get("/?view=all").context["page"].shown
    again = client.get("/?view=all", headers={**LIVE, "X-Shown": shown})
    assert (again.status_code, again.content) == (204, b"")
    assert client.get("/?view=team", headers={**LIVE, "X-Shown": shown}).status_code == 200
    take(ticket=stage.tickets["mail"], actor=stage.omar)
    fresh = client.get("/?view=all", headers={**LIVE, "X-Shown": shown})
    assert fresh.status_code == 200
    assert "Omar Haddad" in fresh.content.decode()
    now_shown = fresh.context["page"].shown
    assert now_shown != shown
    assert f'data-shown="{now_shown}"' in fresh.content.decode()


def test_whoever_only_reads_has_no_boxes_to_choose_rows(stage, sign_in):
    duty = Duty.objects.create(slug="auditor", name="Auditor")
    DutyAssignment.objects.create(duty=duty, person=stage.stranger)
    page = sign_in(stage.stranger).get("/?view=all").content.decode()
    assert stage.tickets["mail"].subject in page
    assert "checkbox" not in page
    assert 'id="bulk"' not in page
    assert 'type="checkbox" name="key"' in sign_in(stage.ines).get("/?view=all").content.decode()


def test_the_next_deadline_stands_first(stage, sign_in):
    page = sign_in(stage.ines).get("/?view=all").context["page"]
    due = [row.ticket.next_due_at for row in page.rows]
    running = [at for at in due if at is not None]
    assert due == [*sorted(running), *[None] * (len(due) - len(running))], "paused ones last"
    assert page.rows[0].ticket.key == stage.tickets["payroll"].key


def test_a_restricted_ticket_is_neither_listed_nor_counted_for_the_uncleared(stage, sign_in):
    for person, expected in ((stage.ines, 6), (stage.mara, 6), (stage.sam, 7)):
        page = sign_in(person).get("/?view=all").context["page"]
        counts = {view.slug: count for view, count in page.views}
        assert counts["all"] == str(expected)
        assert len(page.rows) == expected


def shown(client, query: str | dict[str, str], stage) -> set[str]:
    """The short names of the tickets on that page of the queue."""
    given = query if isinstance(query, str) else urlencode(query)
    response = client.get(f"/?{given}")
    assert response.status_code == 200
    names = {ticket.key: name for name, ticket in stage.tickets.items()}
    return {names[row.ticket.key] for row in response.context["page"].rows}


VIEWS = {
    ("ines", "mine"): {"report"},
    ("ines", "team"): {"mail", "chair", "payroll"},
    ("nora", "team"): {"slow"},
    ("nora", "escalated"): {"slow"},
    ("ines", "escalated"): set(),
    ("ines", "unassigned"): {"slow", "mail", "chair", "payroll"},
}
DESK = {"vpn", "mail", "report", "chair", "payroll"}
FILTERS = {
    "team=support": {"slow"},
    "tier=l1": DESK,
    "priority=1": {"slow"},
    "status=resolved": {"badge"},
    "q=payroll": {"payroll"},
    "q=REQ-": {"chair"},
    "team=nowhere": set(),
    "priority=9&status=upside-down": DESK | {"slow"},
    "q=%00": DESK | {"slow"},
}


def test_each_view_shows_what_it_says(stage, sign_in):
    for (person, view), expected in VIEWS.items():
        found = shown(sign_in(stage.people[person]), f"view={view}", stage)
        assert found == expected, (person, view)


def test_what_is_written_once_for_all_shows_and_counts_what_each_reader_would_find(stage):
    add_member(team=stage.teams["platform"], person=stage.nora)
    watch(ticket=stage.tickets["mail"], actor=stage.ines)
    sorts = [sort for sort in SORTS if sort is not UPDATED]
    for person in (stage.ines, stage.nora, stage.mara, stage.sam):
        reader = know(person).reader(person, is_live=False)
        for view, but_cases in product(AGENT_VIEWS, (False, True)):
            if view.needs_team and not reader.team_ids:
                continue
            seen = tickets_in(scope_of(reader, but_cases=but_cases), view.slug, reader)
            for sort in sorts:
                found = first_rows(view.slug, sort, reader, but_cases=but_cases)
                assert found == list(ordered(with_around(seen), sort)), (person, view.slug, sort)
            assert count_standing([view.slug], reader, but_cases=but_cases) == [str(len(seen))]


def test_a_view_of_several_teams_is_theirs_together_narrowed_and_page_by_page(stage, sign_in):
    add_member(team=stage.teams["support"], person=stage.ines)
    client = sign_in(stage.ines)
    waiting = {"slow", "mail", "chair", "payroll"}
    narrowed = {"": waiting, "&tier=l1": waiting - {"slow"}, "&team=support": {"slow"}}
    narrowed |= {"&team=support&tier=l1": set(), "&priority=1": {"slow"}, "&q=payroll": {"payroll"}}
    for query, expected in narrowed.items():
        for sort in SORTS:
            assert shown(client, f"view=team&sort={sort.slug}{query}", stage) == expected, query
    open_more(stage, PAGE_ROWS + 5)
    first = client.get("/?view=team").context["page"]
    second = client.get(f"/?{first.next_address}").context["page"]
    keys = [row.ticket.key for page in (first, second) for row in page.rows]
    assert len(keys) == len(set(keys)) == PAGE_ROWS + 9
    assert {view.slug: count for view, count in first.views}["team"] == str(len(keys))


def test_filters_narrow_the_queue(stage, sign_in):
    client = sign_in(stage.ines)
    for query, expected in FILTERS.items():
        assert shown(client, f"view=all&{query}", stage) == expected, query


@pytest.mark.parametrize("sort", [sort.slug for sort in SORTS])
def test_pages_follow_each_other_without_gap_or_repeat(stage, sign_in, sort):
    open_more(stage, PAGE_ROWS + 5)
    client = sign_in(stage.ines)
    seen: list[str] = []
    after = ""
    while True:
        page = client.get("/", {"view": "all", "after": after, "sort": sort}).context["page"]
        seen += [row.ticket.key for row in page.rows]
        after = page.after
        if not after:
            break
    wanted = Ticket.objects.visible_to(stage.ines).open().values_list("key", flat=True)
    assert sorted(seen) == sorted(wanted)


def test_the_last_changed_stand_first_whether_found_among_events_or_in_the_table(
    stage, sign_in, monkeypatch
):
    open_more(stage, PAGE_ROWS + 5)
    take(ticket=stage.tickets["mail"], actor=stage.omar)
    client = sign_in(stage.ines)

    def keys(after: str = "") -> tuple[list[str], str]:
        asked = {"view": "all", "sort": "updated", "after": after}
        page = client.get("/", asked).context["page"]
        return [row.ticket.key for row in page.rows], page.after

    first, after = keys()
    wanted = Ticket.objects.visible_to(stage.ines).open().order_by("-last_event_at", "-id")
    assert first + keys(after)[0] == list(wanted.values_list("key", flat=True))
    assert first[0] == stage.tickets["mail"].key
    monkeypatch.setattr(sorting, "LATELY", 20)  # among so few events no page is full
    assert keys() == (first, after)


def test_the_first_view_weighs_little_and_the_next_less(stage, sign_in):
    """Kilobytes over the wire, compressed: a page with all that it loads, and the page alone."""
    open_more(stage, PAGE_ROWS)
    answer = sign_in(stage.ines).get("/?view=all", headers={"accept-encoding": "gzip"})
    html = gzip.decompress(answer.content).decode()
    assert html.count('<tr class="row') == PAGE_ROWS
    names = re.findall(r'(?:href|src)="/static/([^"]+)"', html)
    files = [Path(finders.find(name)).read_bytes() for name in names]
    assert len(files) >= 10
    assert len(answer.content) <= 30_000
    assert len(answer.content) + sum(len(gzip.compress(each)) for each in files) <= 150_000


CELLS = {
    "late": (timedelta(minutes=-20), r'due-late".*<svg.*late by 20 min'),
    "soon": (timedelta(minutes=5), r'due-soon".*<svg.*<span class="due-text">[45] min'),
    "calm": (timedelta(days=9), r'due-calm".*<svg.*<span class="due-text">8 d 23 h'),
}


@pytest.mark.parametrize("tone", CELLS)
def test_time_left_is_told_by_words_and_a_mark_and_never_by_colour_alone(stage, sign_in, tone):
    mail = stage.tickets["mail"]
    ahead, looks = CELLS[tone]
    Clock.objects.filter(ticket=mail.pk).update(due_at=timezone.now() + ahead)
    cell = cell_of(sign_in(stage.ines), mail.key)
    assert re.search(looks, cell, re.DOTALL), cell


def test_a_paused_clock_shows_that_it_is_paused_and_no_time(stage, sign_in):
    mail = stage.tickets["mail"]
    Clock.objects.filter(ticket=mail.pk, state="running").update(state="paused", due_at=None)
    cell = cell_of(sign_in(stage.ines), mail.key)
    assert re.search(r'due-paused"><svg.*<span>paused</span>', cell, re.DOTALL), cell
    assert "data-due" not in cell


def cell_of(client, key: str) -> str:
    """The time-left cell of the ticket's row."""
    page = client.get("/?view=all").content.decode()
    row = page.partition(f'id="row-{key}"')[2].partition("</tr>")[0]
    return re.search(r'<td class="c-left">(.*?)</td>', row, re.DOTALL)[1]


def test_a_broken_cursor_means_the_first_page(stage, sign_in):
    client = sign_in(stage.ines)
    for cursor in ("~", "nonsense", "WyJkdWUiLDEsMl0x", "WyJvcGVuZWQiLDFd", "W10", "bnVsbA"):
        page = client.get("/", {"view": "all", "after": cursor}).context["page"]
        assert len(page.rows) == 6, cursor


def test_a_key_in_the_search_opens_the_ticket(stage, sign_in):
    key = stage.tickets["slow"].key
    response = sign_in(stage.ines).get("/", {"q": key.lower()})
    assert response.status_code == 302
    assert response.url == f"/tickets/{key}"


def test_a_key_that_one_may_not_see_finds_nothing(stage, sign_in):
    response = sign_in(stage.ines).get("/", {"q": stage.tickets["case"].key})
    assert response.status_code == 200
    assert response.context["page"].rows == []


def test_the_first_view_with_something_to_do_opens_by_itself(stage, sign_in):
    opened = {
        person: sign_in(stage.people[person]).get("/").context["page"].view.slug
        for person in ("ines", "teo", "petra")
    }
    assert opened == {"ines": "mine", "teo": "team", "petra": "breach"}
