"""Dashboards by mail: ordered by whoever may see them, sent every day or week, ended at will."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from insights.figures.answers import Split, Told, tell_board
from insights.figures.boards import BOARD_BY_SLUG
from insights.figures.folding import zone_of_days
from insights.figures.models import BoardMail
from insights.figures.moment import ABOUT, NAME, NOW, lists_of_now, sums_of_now
from insights.figures.naming import TABLES, Names, narrowings
from insights.figures.papers import moment_said, paper_of, paper_of_now
from insights.figures.present import Present
from insights.figures.sums import Question
from insights.figures.wording import said
from notifications.outbox import Letter, enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import is_allowed, require
from roles.refusals import Conflict, Invalid

KIND: Final = "figures"
MOST: Final = 10
"""So many may one person have sent to themself."""
BATCH: Final = 20
MOST_ROWS: Final = 12


@transaction.atomic
def order_mail(
    *,
    actor: Person,
    board: str,
    words: Mapping[str, str],
    days: int,
    every: str,
    hour: int,
    form: str = BoardMail.Form.HTML,
    clock: TimeSource = database_now,
) -> BoardMail:
    """Have a dashboard sent to oneself from now on; the same one again only changes when.

    `words` are the filters as an address says them; the page of now has neither them nor `days`.
    Raises Forbidden for whoever may not see
    dashboards, Invalid by field, Conflict where somebody has many already.
    """
    require(actor, "see_dashboard")
    if board == NOW:
        words, days = {}, 1
    elif board not in BOARD_BY_SLUG:
        raise Invalid("unknown", "There is no such dashboard.", {"board": "Choose another one."})
    if every not in BoardMail.Every.values:
        raise Invalid("unknown_choice", "Choose how often.", {"every": "Choose one."})
    if form not in BoardMail.Form.values:
        raise Invalid("unknown_choice", "Choose a form.", {"form": "Choose one."})
    if not 0 <= hour <= 23:
        raise Invalid("bad_hour", "Choose an hour of the day.", {"hour": "From 0 to 23."})
    mine = BoardMail.objects.select_for_update().filter(person=actor.pk)
    found = next((row for row in mine if (row.board, row.words) == (board, dict(words))), None)
    if found is None and len(mine) >= MOST:
        raise Conflict("too_many", "You have many sent already. End one of them first.")
    mail = found or BoardMail(person=actor, board=board, words=dict(words))
    mail.days, mail.every, mail.hour = max(1, min(days, 3660)), every, hour
    mail.form = form
    mail.next_at = next_after(mail, clock())
    mail.save()
    return mail


def end_mail(*, actor: Person, pk: int) -> bool:
    """End one of one's own; whether there was one."""
    return BoardMail.objects.filter(person=actor.pk, pk=pk).delete()[0] > 0


def mails_of(person: Person) -> list[BoardMail]:
    """The dashboards that somebody has sent to themself."""
    return list(BoardMail.objects.filter(person=person.pk))


def name_of(board: str) -> str:
    """What a dashboard is called; by its word where there is none any more."""
    found = BOARD_BY_SLUG.get(board)
    return str(NAME if board == NOW else found.name if found else board)


def next_after(mail: BoardMail, now: datetime) -> datetime:
    """The next time at which it is due, by its reader's clock, later than `now`."""
    zone = ZoneInfo(mail.person.zone)
    day = now.astimezone(zone).date()
    while True:
        at = datetime.combine(day, time(mail.hour), tzinfo=zone)
        if at > now and (mail.every == BoardMail.Every.DAY or day.weekday() == 0):
            return at
        day += timedelta(days=1)


def send_due(*, clock: TimeSource = database_now) -> int:
    """Send what is due, each once; how many. What was missed in an outage is sent once, late."""
    with transaction.atomic():
        now = clock()
        due = BoardMail.objects.filter(next_at__lte=now).select_related("person")
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:BATCH])
        letters = []
        for mail in rows:
            if not (mail.person.is_active and is_allowed(mail.person, "see_dashboard")):
                mail.delete()
                continue
            with translation.override(mail.person.language):
                letters.append(
                    _letter_of_now(mail, now) if mail.board == NOW else _letter(mail, now)
                )
            mail.next_at = next_after(mail, now)
            mail.save(update_fields=["next_at"])
        enqueue(letters, now=now)
        return len(letters)


def _letter(mail: BoardMail, now: datetime) -> Letter:
    """The dashboard as a letter; what is stored and read by others counts nothing restricted."""
    last = now.astimezone(ZoneInfo(zone_of_days())).date()
    question = question_of(mail, last)
    words = {"since": question.since.isoformat(), "until": last.isoformat(), **mail.words}
    narrowed = narrowings(mail.words, Names())
    since, until = (date_format(day, _("j M Y")) for day in (question.since, last))
    told = tell_board(BOARD_BY_SLUG[mail.board], question, None, now=now)
    subject = _("%(board)s, %(since)s to %(until)s") % {
        "board": " · ".join([str(told.board.name), *narrowed]),
        "since": since,
        "until": until,
    }
    if mail.form == BoardMail.Form.PDF:
        shape = _on_paper(mail, last, paper_of(told, narrowed=narrowed))
    else:
        shape = {"tables": [_table(split) for split in told.splits if split.rows]}
    lines = [str(told.board.about), "", *_lines(told)]
    return _sent(mail, subject, lines, f"/figures/{mail.board}?{urlencode(words)}", shape)


def _letter_of_now(mail: BoardMail, now: datetime) -> Letter:
    """The page of now as a letter, without anything of restricted tickets."""
    present = Present(mail.person, now, is_kept=True)
    at = moment_said(present)
    lists = lists_of_now(present)
    lines = [str(ABOUT), "", *(f"{name}: {value}" for name, value in sums_of_now(present))]
    if calm := [f"{table.title}: {table.nothing}" for table in lists if not table.rows]:
        lines += ["", *calm]
    if mail.form == BoardMail.Form.PDF:
        day = now.astimezone(ZoneInfo(mail.person.zone)).date()
        shape = _on_paper(mail, day, paper_of_now(present))
    else:
        shape = {
            "tables": [
                {"title": each.title, "head": each.head, "rows": each.rows}
                for each in lists
                if each.rows
            ]
        }
    return _sent(mail, f"{NAME}, {at}", lines, "/figures", shape)


def _sent(
    mail: BoardMail, subject: str, lines: Sequence[str], url: str, shape: Mapping[str, Any]
) -> Letter:
    return Letter(
        topic=f"figures:{mail.board}",
        cause=f"figures:{mail.pk}:{mail.next_at:%Y%m%dT%H%M}",
        recipient_id=mail.person_id,
        kind=KIND,
        channel="email",
        subject=subject,
        body="\n".join([*lines, "", _note()]),
        data={"url": url, **shape},
    )


def _on_paper(mail: BoardMail, day: date, paper: bytes) -> dict[str, Any]:
    """The same as PDF, to go with the mail."""
    name, content = f"{mail.board}-{day}.pdf", b64encode(paper).decode()
    return {"files": [{"name": name, "type": "application/pdf", "content": content}]}


def _note() -> str:
    return _("Restricted tickets are not counted in mails. You end this one on the page My load.")


def _lines(told: Told) -> list[str]:
    lines = []
    for tile in told.tiles:
        value = said(tile.figure, tile.value)
        if tile.value is None:
            value = _("not measured, because %(why)s") % {"why": tile.figure.lacking}
        elif tile.before is not None:
            value = _("%(value)s (before: %(before)s)") % {
                "value": value,
                "before": said(tile.figure, tile.before),
            }
        lines.append(f"{tile.figure.name}: {value}")
    return lines


def _table(split: Split) -> dict[str, Any]:
    named = [str(split.panel.words[0]), str(split.figure.name)]
    if split.second is not None:
        named.append(str(split.second.name))
    rows = []
    for row in split.rows[:MOST_ROWS]:
        second = [said(split.second, row.second)] if split.second is not None else []
        rows.append([row.label, said(split.figure, row.value), *second])
    title = _("%(figure)s by %(split)s") % {
        "figure": split.figure.name,
        "split": split.panel.words[1],
    }
    return {"title": title, "head": named, "rows": rows}


def question_of(mail: BoardMail, last: date) -> Question:
    """The question that the mail asks on this day: its days up to and with it."""
    names = Names()
    ids = {}
    for word in ("team", "service", "category"):
        if wanted := mail.words.get(word):
            rows = getattr(names, TABLES[word])
            ids[word] = next((pk for pk, named in rows.items() if named.slug == wanted), -1)
    priority = mail.words.get("priority")
    return Question(
        since=last - timedelta(days=mail.days - 1),
        until=last + timedelta(days=1),
        priority=int(priority) if priority else None,
        kind=mail.words.get("kind", ""),
        **ids,
    )
