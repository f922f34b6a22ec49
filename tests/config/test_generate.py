"""Made-up sites: true enough for the verifiers, and never poured into somebody's data."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count

from config.scale.stamps import TABLES
from escalation import verify as clocks
from escalation.models import Clock, Firing, Run
from insights.figures import upkeep
from insights.figures.models import DayTotal
from notifications.models import Message
from roles.instants import database_now
from tickets import states
from tickets import verify as timelines
from tickets.models import Ticket, TimelineEvent


def orphans() -> list[str]:
    """Rows whose foreign key leads nowhere: COPY wrote them with the checks switched off."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT con.conrelid::regclass::text, col.attname, con.confrelid::regclass::text,
                   ref.attname
            FROM pg_constraint con
            JOIN pg_attribute col ON col.attrelid = conrelid AND col.attnum = conkey[1]
            JOIN pg_attribute ref ON ref.attrelid = confrelid AND ref.attnum = confkey[1]
            WHERE contype = 'f' AND con.conrelid = ANY(%s::regclass[])
            """,
            [[table.name for table in TABLES]],
        )
        found = []
        for table, column, other, key in cursor.fetchall():
            cursor.execute(
                f"SELECT count(*) FROM {table} a WHERE {column} IS NOT NULL"
                f" AND NOT EXISTS (SELECT FROM {other} b WHERE b.{key} = a.{column})"
            )
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
        return found


def count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {statement}")
        found: int = cursor.fetchone()[0]
    return found


def test_a_made_up_site_is_true_in_every_row(live_db) -> None:
    call_command("generate", open=150, closed=30, seed=7, lives=30, verbosity=0)
    assert Ticket.objects.count() >= 180  # a policy may open a problem for repeats
    assert Ticket.objects.open().count() >= 146  # a life may end before its time
    assert TimelineEvent.objects.filter(kind="fired").count() > 0
    assert not [f for part in timelines.check_all() for f in part.findings]
    assert not [f for part in clocks.check_all() for f in part.findings]
    assert not orphans()
    wrong = (
        "tickets_ticket t LEFT JOIN tickets_ticketwords w"
        " ON w.ticket_id = t.id AND event_id IS NULL WHERE words IS DISTINCT FROM"
        " tickets_words(subject || ' ' || description || ' ' || asset)"
    )
    assert not count(wrong)
    assert count("tickets_ticketwords WHERE event_id IS NOT NULL") > 100
    told = dict(Firing.objects.values_list("ticket").annotate(n=Count("pk")))
    heard = TimelineEvent.objects.filter(kind__in=["fired", "skipped"])
    assert told == dict(heard.values_list("ticket").annotate(n=Count("pk")))
    assert not Message.objects.filter(state="queued").exists()
    # How many of the lives climb still depends on the hour at which they are made up.
    assert Run.objects.filter(state="active").values("next_at").distinct().count() > 10
    assert Clock.objects.filter(state="running").values("due_at").distinct().count() > 20


def test_what_has_ended_came_in_all_over_the_year_on_days_of_office(live_db) -> None:
    call_command("generate", open=0, closed=400, seed=5, lives=30, verbosity=0)
    assert not [f for part in timelines.check_all() for f in part.findings]
    assert not [f for part in clocks.check_all() for f in part.findings]
    ended = Ticket.objects.filter(status__in=states.FINAL)
    assert ended.count() > 380
    days = {at.date() for at in ended.values_list("opened_at", flat=True)}
    assert len(days) > 120
    assert len({(day.year, day.month) for day in days}) >= 12
    calm = ended.filter(priority__gte=3).values_list("opened_at", flat=True)
    assert {at.weekday() for at in calm} == {0, 1, 2, 3, 4}
    assert len({at.time() for at in calm}) > 200
    last = TimelineEvent.objects.latest("at").at
    assert last <= database_now()
    upkeep.rebuild()
    assert not [f for part in upkeep.check_all() for f in part.findings]
    assert DayTotal.objects.values("day").distinct().count() > 120
    # A later ticket has a greater number, as if they had come in one after the other.
    copies = list(ended.order_by("pk").values_list("opened_at", flat=True))[11:]
    assert copies == sorted(copies)


def test_copies_go_on_living_like_any_ticket(live_db) -> None:
    """Their heads, numbers and keys fit: the next event, ticket and message find their places."""
    call_command("generate", open=40, closed=0, seed=3, lives=3, verbosity=0)
    call_command("generate", open=10, closed=0, seed=4, lives=2, yes=True, verbosity=0)
    assert Ticket.objects.count() == 50
    keys = Ticket.objects.values_list("key", flat=True)
    assert len(set(keys)) == 50
    assert not [f for part in timelines.check_all() for f in part.findings]


def test_a_site_in_use_is_left_alone(live_db) -> None:
    call_command("generate", open=2, closed=0, lives=2, verbosity=0)
    with pytest.raises(CommandError, match="holds data"):
        call_command("generate", open=2, closed=0, lives=2, verbosity=0)
    assert Ticket.objects.count() == 2
