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
from insights.figures.naming import TABLES, Names, narrowings
from insights.figures.papers import paper_of
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

    `words` are the filters as an address says them. Raises Forbidden for whoever may not see
    dashboards, Invalid by field, Conflict where somebody has many already.
    """
    require(actor, "see_dashboard")
    if board not in BOARD_BY_SLUG:
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
            letters.append(_letter(mail, now))
            mail.next_at = next_after(mail, now)
            mail.save(update_fields=["next_at"])
        enqueue(letters, now=now)
        return len(letters)


def _letter(mail: BoardMail, now: datetime) -> Letter:
    """The dashboard as a letter; what is stored and read by others counts nothing restricted."""
    last = now.astimezone(ZoneInfo(zone_of_days())).date()
    question = question_of(mail, last)
    words = {"since": question.since.isoformat(), "until": last.isoformat(), **mail.words}
    with translation.override(mail.person.language):
        narrowed = narrowings(mail.words, Names())
        since, until = (date_format(day, _("j M Y")) for day in (question.since, last))
        told = tell_board(BOARD_BY_SLUG[mail.board], question, None, now=now)
        return Letter(
            topic=f"figures:{mail.board}",
            cause=f"figures:{mail.pk}:{mail.next_at:%Y%m%dT%H%M}",
            recipient_id=mail.person_id,
            kind=KIND,
            channel="email",
            subject=_("%(board)s, %(since)s to %(until)s")
            % {
                "board": " · ".join([str(told.board.name), *narrowed]),
                "since": since,
                "until": until,
            },
            body="\n".join([str(told.board.about), "", *_lines(told), "", _note()]),
            data={
                "url": f"/figures/{mail.board}?{urlencode(words)}",
                **_shape(told, mail, last, narrowed),
            },
        )


def _shape(told: Told, mail: BoardMail, last: date, narrowed: Sequence[str]) -> dict[str, Any]:
    """The tables: in the mail itself, or on the paper that goes with it."""
    if mail.form == BoardMail.Form.PDF:
        return {"files": [_paper(told, mail, last, narrowed)]}
    return {"tables": [_table(split) for split in told.splits if split.rows]}


def _paper(told: Told, mail: BoardMail, last: date, narrowed: Sequence[str]) -> dict[str, str]:
    """The same as PDF, to go with the mail."""
    return {
        "name": f"{mail.board}-{last}.pdf",
        "type": "application/pdf",
        "content": b64encode(paper_of(told, narrowed=narrowed)).decode(),
    }


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
