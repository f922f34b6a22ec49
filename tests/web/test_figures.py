"""The dashboards in the browser: what they show is what the figures say, to whom it may concern."""

import csv
import re
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from openpyxl import load_workbook
from pypdf import PdfReader

from insights.figures.answers import tell_board
from insights.figures.boards import BOARD_BY_SLUG, BOARDS
from insights.figures.folding import fold_all
from insights.figures.mailing import send_due
from insights.figures.models import BoardMail, Point
from insights.figures.wording import said
from insights.models import Estimate, RiskModel
from notifications.channels.email import compose
from notifications.models import Message
from notifications.sending import outgoing
from roles.instants import database_now, fixed
from roles.models import Duty, DutyAssignment
from tickets.models import Clearance, Ticket
from web.figures.asking import asked_of


@pytest.fixture
def counted(stage):
    fold_all()


def test_every_number_on_a_page_is_the_one_that_the_figure_says(stage, counted, sign_in):
    client = sign_in(stage.mara)
    for board in BOARDS:
        page = client.get(f"/figures/{board.slug}?team=desk").content.decode()
        now = database_now()
        asked = asked_of({"team": "desk"}, now)
        told = tell_board(board, asked.question, stage.mara, now=now)
        for tile in told.tiles:
            assert escape(str(tile.figure.definition)) in page
            words = said(tile.figure, tile.value) if tile.value is not None else "not measured"
            name = re.escape(escape(str(tile.figure.name)))
            assert re.search(rf">{name}<.*?tile-value.*?>{re.escape(words)}<", page, re.S)
        for split in told.splits:
            for row in split.rows:
                assert escape(row.label) in page
        assert page.count('class="split-parts"') == sum(bool(each.rows) for each in told.splits)


def test_a_dashboard_asks_little_of_the_database(stage, counted, sign_in):
    client = sign_in(stage.mara)
    for url in ("", *(f"/{board.slug}" for board in BOARDS), "/mine"):
        client.get(f"/figures{url}")
        with CaptureQueriesContext(connection) as taken:
            client.get(f"/figures{url}")
        assert len(taken) <= (23 if url else 28), (url, len(taken))


def test_a_dashboard_is_taken_away_as_a_file(stage, counted, sign_in):
    client = sign_in(stage.mara)
    page = client.get("/figures/load.csv")
    assert page["Content-Disposition"].startswith('attachment; filename="load-')
    lines = list(csv.reader(StringIO(page.content.decode("utf-8-sig"))))
    shown = {row[1]: row[2] for row in lines if row[0] == "People's load"}
    assert shown["Open tickets"] == str(Ticket.objects.open().filter(restricted=False).count())
    book = load_workbook(BytesIO(client.get("/figures/load.xlsx").content))
    sheet = book.worksheets[0]
    cells = {row[0]: row[1] for row in sheet.iter_rows(values_only=True)}
    assert str(cells["Open tickets"]) == f"{shown['Open tickets']}"
    assert len(book.worksheets) == 1 + len(BOARD_BY_SLUG["load"].panels)
    assert {row[5] for row in lines if row[0] == "People's load" and row[1] == "Pages"} == {""}
    book = load_workbook(BytesIO(client.get("/figures/service-levels.xlsx").content))
    assert "Promises to requeste… priority" in book.sheetnames, "told apart by what it is split by"


def test_a_page_says_to_what_it_is_narrowed_on_paper_too(stage, counted, sign_in):
    page = sign_in(stage.mara).get("/figures/load?team=desk&priority=3").content.decode()
    head = page[page.index("page-head") : page.index("files no-print")]
    assert re.findall(r'class="tag">([^<]*)<', head) == ["Service Desk", "P3"]


def test_no_count_is_called_not_measured_and_both_numbers_of_a_line_lead_on(
    stage, counted, sign_in
):
    client = sign_in(stage.mara)
    page = client.get("/figures/load?team=none").content.decode()
    assert page.count("None in this period.") >= 2
    assert "Not measured, because" not in page
    page = client.get("/figures/load").content.decode()
    for slug in ("backlog", "age"):
        assert re.search(rf'<td class="number"><a href="/figures/of/{slug}\?[^"]*team=desk', page)
    listed = "Listed are the missed ones."
    assert listed in client.get("/figures/of/sla").content.decode()
    assert listed not in client.get("/figures/of/missed").content.decode()


def test_a_dashboard_is_taken_away_on_paper(stage, counted, sign_in):
    client = sign_in(stage.mara)
    answer = client.get("/figures/load.pdf?team=desk")
    assert answer["Content-Type"] == "application/pdf"
    assert re.fullmatch(r'attachment; filename="load-.*\.pdf"', answer["Content-Disposition"])
    said = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    open_ones = Ticket.objects.open().filter(team__slug="desk", restricted=False).count()
    assert "People's load" in said
    assert "Service Desk" in said
    assert re.search(rf"Open tickets\s+{open_ones}\b", said)
    assert "Open tickets by team" in said
    assert client.get("/figures/of/backlog.pdf").status_code == 404


def test_what_somebody_wrote_is_no_formula_in_a_file(stage, counted, sign_in):
    Ticket.objects.filter(team__slug="desk").update(subject="=1+1")
    client = sign_in(stage.mara)
    lines = client.get("/figures/of/backlog.csv?team=desk").content.decode("utf-8-sig")
    assert ",'=1+1," in lines
    book = load_workbook(BytesIO(client.get("/figures/of/backlog.xlsx?team=desk").content))
    cells = [row[1] for row in book.worksheets[0].iter_rows()][1:]
    assert {(cell.value, cell.data_type) for cell in cells} == {("=1+1", "s")}


def test_only_those_who_lead_see_the_figures(stage, counted, sign_in):
    for name, status in (("mara", 200), ("ines", 200), ("omar", 403), ("ada", 404)):
        client = sign_in(getattr(stage, name))
        assert client.get("/figures/mine").status_code == (404 if status == 404 else 200)
        assert client.get("/figures/load.csv").status_code == status
        assert client.get("/figures/load").status_code == status, name
        assert client.get("/figures/of/backlog").status_code == status, name


def test_behind_a_number_stand_its_tickets(stage, counted, sign_in):
    client = sign_in(stage.mara)
    page = client.get("/figures/of/backlog?team=desk").content.decode()
    rows = Ticket.objects.open().filter(team__slug="desk", restricted=False)
    assert rows.exists()
    for ticket in rows:
        assert ticket.key in page
    others = Ticket.objects.exclude(pk__in=rows)
    assert not [ticket.key for ticket in others if ticket.key in page]
    with CaptureQueriesContext(connection) as taken:
        client.get("/figures/of/backlog")
    assert len(taken) <= 14


def test_an_address_of_nonsense_is_answered_kindly(stage, counted, sign_in):
    client = sign_in(stage.mara)
    for query in (
        "?since=yesterday",
        "?until=9999-99-99",
        "?team=nobody&priority=x&kind=%00",
        "?since=2026-05-01&until=2026-01-01",
    ):
        assert client.get(f"/figures/incidents{query}").status_code == 200
    assert client.get("/figures/nothing").status_code == 404
    assert client.get("/figures/of/nothing").status_code == 404
    assert sign_in(stage.omar).get("/figures").url == "/figures/mine"


def test_the_page_of_now_shows_what_presses(stage, counted, sign_in):
    page = sign_in(stage.mara).get("/figures")
    present = page.context["present"]
    body = page.content.decode()
    seen = Ticket.objects.open().filter(restricted=False)
    assert sum(row.open for row in present.tiers) == seen.count()
    assert (
        sum(row.late for row in present.tiers) == seen.filter(next_due_at__lte=present.now).count()
    )
    for ticket in (*present.coming, *present.untouched):
        assert ticket.key in body
    assert "the engine stands still" in body
    assert "More on the operations page" not in body, "an incident manager may not see that page"
    assert "Nothing has been learned yet." in body, "no estimates, and it says so"


def test_now_leads_those_who_may_see_it_to_the_page_of_operations(stage, counted, sign_in):
    duty = Duty.objects.create(slug="auditor", name="Auditor")
    DutyAssignment.objects.create(duty=duty, person=stage.mara)
    body = sign_in(stage.mara).get("/figures").content.decode()
    assert '<a href="/operations">More on the operations page</a>' in body


def test_an_open_page_of_now_asks_for_its_parts_alone(stage, counted, sign_in):
    client = sign_in(stage.mara)
    whole = client.get("/figures").content.decode()
    parts = client.get("/figures", headers={"X-Live": "1"}).content.decode()
    assert "<html" not in parts
    named = re.findall(r'id="([\w-]+)" data-part', parts)
    assert len(named) >= 7
    assert named == re.findall(r'id="([\w-]+)" data-part', whole)


def test_now_adds_up_the_risk_of_each_tier_as_long_as_a_version_is_used(stage, counted, sign_in):
    now = database_now()
    version = RiskModel.objects.create(
        trained_at=now, cases=900, positives=340, skill=0.3, is_used=True
    )
    for name, chance in (("slow", 0.9), ("mail", 0.4), ("case", 0.7)):
        ticket = stage.tickets[name]
        Estimate.objects.create(ticket=ticket, model=version, probability=chance, seq=1, at=now)
    page = sign_in(stage.mara).get("/figures")
    present = page.context["present"]
    assert (present.whole.estimated, present.whole.likely) == (2, 1)
    assert present.whole.expected == pytest.approx(1.3)
    assert [each.ticket.pk for each in present.likeliest] == [
        stage.tickets["slow"].pk,
        stage.tickets["mail"].pk,
    ]
    assert "as the probabilities of 2 tickets add up" in page.content.decode()
    why = "In its own test it did not beat the base rate."
    RiskModel.objects.update(is_used=False, why_not=why)
    page = sign_in(stage.mara).get("/figures").content.decode()
    assert "no estimates" in page
    assert why in page


def test_a_dashboard_comes_by_mail_until_one_ends_it(stage, counted, sign_in):
    client = sign_in(stage.mara)
    given = {"every": "day", "hour": "7", "team": "desk"}
    answer = client.post("/figures/load/mail", given)
    assert answer.url.startswith("/figures/load?team=desk")
    mail = BoardMail.objects.get()
    assert (mail.person, mail.days, mail.words) == (stage.mara, 28, {"team": "desk"})
    assert send_due() == 0
    at = mail.next_at + timedelta(minutes=3)
    assert (send_due(clock=fixed(at)), send_due(clock=fixed(at))) == (1, 0)
    letter = Message.objects.get(kind="figures")
    open_ones = Ticket.objects.open().filter(team__slug="desk", restricted=False).count()
    assert f"Open tickets: {open_ones}" in letter.body
    assert letter.subject.startswith("People's load · Service Desk, "), "it says what it leaves out"
    mine = client.get("/figures/mine").content.decode()
    assert '<span class="tag">Service Desk</span>' in mine
    composed = compose(outgoing(letter, at), "mara@example.com")
    html = composed.alternatives[0].content
    assert "<table" in html
    assert "Open tickets by team" in html
    assert not composed.attachments
    given |= {"hour": "9", "form": "pdf"}
    assert client.post("/figures/load/mail", given).status_code == 302
    mail = BoardMail.objects.get()
    assert (mail.hour, mail.form) == (9, "pdf")
    assert send_due(clock=fixed(mail.next_at)) == 1
    letter = Message.objects.filter(kind="figures").order_by("-pk")[0]
    composed = compose(outgoing(letter, mail.next_at), "mara@example.com")
    assert "<table" not in composed.alternatives[0].content
    ((name, content, kind),) = composed.attachments
    assert (name, kind) == (f"load-{mail.next_at.date()}.pdf", "application/pdf")
    said = " ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    assert re.search(rf"Open tickets\s+{open_ones}\b", said)
    assert " · Service Desk" in said
    assert sign_in(stage.ines).post(f"/figures/mails/{mail.pk}/end").status_code == 404
    client.post(f"/figures/mails/{mail.pk}/end")
    assert not BoardMail.objects.exists()
    assert sign_in(stage.omar).post("/figures/load/mail", given).status_code == 302
    assert not BoardMail.objects.exists()


def test_a_restricted_case_is_counted_in_no_mail_and_in_pages_while_one_is_cleared(
    stage, counted, sign_in
):
    """A mail is kept and read where nobody asks again whether its reader is still cleared."""
    client = sign_in(stage.mara)
    case = stage.tickets["case"]
    others = Ticket.objects.open().filter(restricted=False).count()
    cleared = Clearance.objects.create(ticket=case, person=stage.mara)

    def counted_now() -> tuple[str, str]:
        lines = list(csv.reader(StringIO(client.get("/figures/load.csv").content.decode())))
        board = next(row[2] for row in lines if row[1] == "Open tickets")
        lines = list(csv.reader(StringIO(client.get("/figures/now.csv").content.decode())))
        return board, next(row[2] for row in lines if row[1] == "Open")

    assert counted_now() == (str(others + 1), str(others + 1))
    client.post("/figures/load/mail", {"every": "day", "hour": "7"})
    mail = BoardMail.objects.get()
    for day in range(2):
        assert send_due(clock=fixed(mail.next_at + timedelta(days=day))) == 1
        letter = Message.objects.filter(kind="figures").order_by("-pk")[0]
        assert f"Open tickets: {others}\n" in letter.body
        cleared.delete()
        assert counted_now() == (str(others), str(others))
        cleared = Clearance.objects.create(ticket=case, person=stage.mara)


def test_whoever_leads_no_more_gets_no_mail_any_more(stage, counted, sign_in):
    sign_in(stage.mara).post("/figures/load/mail", {"every": "week", "hour": "7"})
    mail = BoardMail.objects.get()
    assert mail.next_at.weekday() == 0
    DutyAssignment.objects.filter(person=stage.mara).delete()
    assert send_due(clock=fixed(mail.next_at)) == 0
    assert not BoardMail.objects.exists()


def test_every_figure_and_panel_says_what_it_means_to_the_keyboard_too(stage, counted, sign_in):
    client = sign_in(stage.mara)
    for url in ("", *(f"/{board.slug}" for board in BOARDS), "/mine"):
        page = client.get(f"/figures{url}").content.decode()
        described = re.findall(r'class="defined" tabindex="0" aria-describedby="([\w-]+)"', page)
        means = dict(re.findall(r'role="tooltip" id="([\w-]+)">([^<]+)', page))
        assert sorted(described) == sorted(means)
        assert len(set(described)) == len(described)
        tiles = re.findall(r'<div class="tile">\s*<dt>(<span class="defined")?', page)
        assert all(tiles), url
        assert tiles, url
        board = BOARD_BY_SLUG.get(url[1:])
        panels = len(board.panels) if board else 4 if not url else 0
        assert page.count("defined-head") == panels
    page = client.get("/figures/load").content.decode()
    both = re.search(r'id="means-split-0">[^<]+<br><strong>([^<]+):</strong> ([^<]+)', page)
    assert both[1] == "Nights disturbed"


def test_behind_each_number_of_now_stand_as_many_tickets_in_the_queue(stage, counted, sign_in):
    client = sign_in(stage.mara)
    page = client.get("/figures").content.decode()
    parts = page[page.index('id="now-sums"') : page.index('id="now-coming-part"')]
    ways = re.findall(r'<a href="(/\?view=all[^"]+)">(\d+)</a>', parts)
    assert len(ways) >= 6
    assert any("tier=" in way for way, _ in ways)
    for way, number in ways:
        shown = client.get(way.replace("&amp;", "&")).context["page"]
        assert (len(shown.rows), shown.sentences) == (int(number), []), way


def test_now_is_taken_away_as_a_file(stage, counted, sign_in):
    client = sign_in(stage.mara)
    answer = client.get("/figures/now.csv")
    assert re.search(r'filename="now-\d{4}-\d\d-\d\d\.csv"', answer["Content-Disposition"])
    lines = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    sums = {row[1]: row[2] for row in lines if row[0] == "Now"}
    assert sums["Open"] == str(Ticket.objects.open().filter(restricted=False).count())
    assert sums["Expected to end badly"] == "", "nothing has been learned"
    case = stage.tickets["case"]
    assert case.key not in answer.content.decode()
    book = load_workbook(BytesIO(client.get("/figures/now.xlsx").content))
    assert book.worksheets[0].title == "Now"
    keys = {row[1] for row in lines if row[0] == "Longest with nobody"}
    assert keys == {ticket.key for ticket in client.get("/figures").context["present"].untouched}
    assert client.get("/figures/now.doc").status_code == 404
    assert sign_in(stage.omar).get("/figures/now.csv").status_code == 403


def test_behind_ones_own_pages_stand_the_tickets_that_one_was_called_for(stage, counted, sign_in):
    today = timezone.now().date()
    calls = (
        ("slow", stage.ines, "night"),
        ("mail", stage.ines, "day"),
        ("badge", stage.mara, "day"),
    )
    for name, person, tag in (*calls, ("case", stage.ines, "day")):
        about = {"measure": "page", "day": today, "team": 0, "tag": tag, "total": 0, "work": 0}
        Point.objects.create(ticket=stage.tickets[name], other=person.pk, n=1, **about)
    client = sign_in(stage.ines)
    load = client.get("/figures/mine").context["load"]
    assert (load.pages, load.night_pages, load.nights) == (2, 1, 1)
    for asked, names in (("", {"slow", "mail"}), ("?sort=night", {"slow"})):
        for form in ("", ".csv"):
            page = client.get(f"/figures/mine/pages{form}{asked}").content.decode()
            shown = {name for name in ("slow", "mail", "badge") if stage.tickets[name].key in page}
            assert shown == names
            assert stage.tickets["case"].key not in page
    assert client.get("/figures/mine/pages.pdf").status_code == 404
    assert sign_in(stage.ada).get("/figures/mine/pages").status_code == 404
