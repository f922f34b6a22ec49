"""Readings of the site: who sends to us, the figures, the database, versions and settings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from platform import python_version
from typing import Any, Final

import django
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation.explain import duration
from insights.figures.models import FoldMark
from insights.operations.queues import Broker
from insights.operations.reading import Part, Reading, State, judged
from insights.risk.models import RiskModel
from roles.calendars import running_out
from tickets.models import AlertSource, MailSource

LATE_COUNT: Final = timedelta(minutes=5)
LATE_POLL: Final = timedelta(minutes=10)
LATE_ARCHIVE: Final = timedelta(minutes=30)
LONG_STATEMENT_S: Final = 60
FULL: Final = 0.8
STEP_MB: Final = 50
CATCHER: Final = ("127.0.0.1", 1025)


def doors_part(now: datetime) -> Part:
    """When each sender of alerts or mail was last heard, and what troubles its mailbox."""
    alerts = AlertSource.objects.filter(is_active=True).order_by("name")
    mails = MailSource.objects.filter(is_active=True).order_by("name")
    readings = [
        Reading(f"source_{slug}_s", name, *_heard(at, now))
        for slug, name, at in alerts.values_list("slug", "name", "last_seen_at")
    ]
    return Part("doors", _("Doors"), [*readings, *(_mailbox(source, now) for source in mails)])


def _heard(at: datetime | None, now: datetime) -> tuple[str, State, float | None]:
    if at is None:
        return _("nothing received yet"), State.PLAIN, None
    age_s = max(0.0, (now - at).total_seconds())
    return _("last heard %s ago") % duration(age_s), State.PLAIN, age_s


def _mailbox(source: MailSource, now: datetime) -> Reading:
    words, state, age_s = _heard(source.last_seen_at, now)
    remedy = ""
    is_polled = source.slug in settings.MAILBOXES
    if source.trouble:
        state, words = State.BAD, source.trouble
        remedy = _("Mail waits in the mailbox: look at its address and password in MAILBOXES.")
    elif is_polled and (source.polled_at is None or now - source.polled_at > LATE_POLL):
        state, remedy = State.BAD, _("Nobody fetches this mailbox: look at the process “thinker”.")
    elif is_polled:
        state = State.GOOD
    return Reading(f"mail_{source.slug}_s", source.name, words, state, age_s, remedy)


def figures_part(now: datetime) -> Part:
    """How far counting has come, and what estimates rest on."""
    return Part("figures", _("Figures and foresight"), [_counting(now), _risk(now)])


def _counting(now: datetime) -> Reading:
    label, mark = _("Dashboards counted"), FoldMark.objects.first()
    remedy = _("Look at the process “worker”; dashboards stay as they were meanwhile.")
    if mark is None or mark.swept_at is None:
        words = _("being counted for the first time")
        return Reading("figures_s", label, words, State.WATCH, None, remedy)
    age_s = max(0.0, (now - mark.noted_at).total_seconds())
    state = judged(age_s <= LATE_COUNT.total_seconds())
    words = _("%s ago") % duration(age_s)
    return Reading("figures_s", label, words, state, age_s, "" if state is State.GOOD else remedy)


def _risk(now: datetime) -> Reading:
    label, newest = _("Estimates of risk"), RiskModel.objects.order_by("-pk").first()
    if newest is None:
        return Reading("risk_version", label, _("nothing has been learned yet"))
    ago = duration(max(0.0, (now - newest.trained_at).total_seconds()))
    words = _("version %(number)s, learned %(ago)s ago") % {"number": newest.pk, "ago": ago}
    if not newest.is_used:
        words = _("%s; not used") % words
    return Reading("risk_version", label, words, State.PLAIN, newest.pk)


def database_part(now: datetime) -> Part:
    """Size, connections, the longest transaction and whether the log of changes is archived.

    Size and connections are rounded up: what one row more or less does tells of no ticket.
    """
    with connection.cursor() as cursor:
        cursor.execute(DATABASE)
        size, used, limit, longest_s, archiving, archived_at, failed_at = cursor.fetchone()
    megabytes = -(-size // (STEP_MB * 1_000_000)) * STEP_MB
    readings = [
        Reading("database_mb", _("Size"), _("up to %s MB") % f"{megabytes:,}", number=megabytes),
        _connections(used, limit),
        _longest(float(longest_s or 0)),
        _archive(archiving, archived_at, failed_at, now),
    ]
    return Part("database", _("Database"), readings)


def _connections(used: int, limit: int) -> Reading:
    share = -(-10 * used // limit) * 10
    words = _("up to %(share)s %% of %(limit)s") % {"share": share, "limit": limit}
    is_full = used > FULL * limit
    remedy = _("Start fewer processes, or raise max_connections of PostgreSQL.") if is_full else ""
    state = judged(not is_full, State.WATCH)
    return Reading("connections_percent", _("Connections"), words, state, share, remedy)


def _longest(seconds: float) -> Reading:
    is_long = seconds > LONG_STATEMENT_S
    remedy = _("Somebody holds a transaction open: look into pg_stat_activity.") if is_long else ""
    state = judged(not is_long, State.WATCH)
    label = _("Longest transaction")
    return Reading("longest_transaction_s", label, duration(seconds), state, seconds, remedy)


DATABASE: Final = """
SELECT pg_database_size(current_database()),
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int,
       (SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
          AND pid <> pg_backend_pid()),
       current_setting('archive_mode') <> 'off',
       last_archived_time, last_failed_time
FROM pg_stat_archiver
"""


def _archive(
    is_on: bool, archived_at: datetime | None, failed_at: datetime | None, now: datetime
) -> Reading:
    label = _("Log archived for backups")
    if not is_on:
        remedy = _(
            "PostgreSQL archives nothing, and Tierline cannot see whether a dump is taken: make"
            " sure that one is, and that it was restored once."
        )
        return Reading("archive_s", label, _("no"), State.WATCH, None, remedy)
    remedy = _("Look at archive_command and at the place that it writes to.")
    is_failing = failed_at is not None and (archived_at is None or failed_at > archived_at)
    if archived_at is None or is_failing:
        return Reading("archive_s", label, _("it fails"), State.BAD, None, remedy)
    age_s = max(0.0, (now - archived_at).total_seconds())
    words = _("%s ago") % duration(age_s)
    state = judged(age_s <= LATE_ARCHIVE.total_seconds(), State.WATCH)
    return Reading("archive_s", label, words, state, age_s, "" if state is State.GOOD else remedy)


def settings_part(now: datetime) -> Part:
    """What about the settings and stored days needs a thought; one good line when nothing does."""
    told = [Reading(slug, label, words, State.WATCH, 1, remedy)
            for slug, label, words, remedy in _doubtful(now)]  # fmt: skip
    well = Reading("settings_doubtful", _("Settings"), _("nothing stands out"), State.GOOD, 0)
    return Part("settings", _("Settings"), told or [well])


def _doubtful(now: datetime) -> Sequence[tuple[str, str, str, str]]:
    found = []
    if settings.DEBUG:
        found.append(
            ("debug", "DEBUG", _("is on"), _("Switch it off: pages of errors show the source."))
        )
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY:
        remedy = _("Set it to a long random text; with this one anybody could sign in.")
        found.append(("secret_key", "SECRET_KEY", _("is the default"), remedy))
    if (settings.EMAIL_HOST, settings.EMAIL_PORT) == CATCHER:
        remedy = _("Set EMAIL_URL to your mail server before anybody relies on mails.")
        found.append(("mail", _("Mail"), _("is caught here, none leaves this machine"), remedy))
    if settings.EXAMPLE_SITE:
        remedy = _("Everybody's mail can be read in the mailbox: not for a real site.")
        found.append(("example", _("Example site"), _("is on"), remedy))
    if not settings.PUBLIC_URL.startswith("https://"):
        remedy = _("Set PUBLIC_URL to an address that begins with https://.")
        found.append(("public_url", _("Address of the site"), settings.PUBLIC_URL, remedy))
    if not settings.MAIL_REPLY_ADDRESS:
        remedy = _("Set MAIL_REPLY_ADDRESS, so that answers to our mails reach their tickets.")
        found.append(("replies", _("Answers to mails"), _("go nowhere"), remedy))
    if calendars := running_out(now):
        words = ngettext("%s calendar", "%s calendars", len(calendars)) % len(calendars)
        remedy = _("Open it in the admin and save it with a later last year: %s")
        names = ", ".join(map(str, calendars))
        found.append(("holidays", _("Public holidays run out"), words, remedy % names))
    return found


def versions_part(broker: Broker) -> Part:
    """What runs here, and whether the database has every change that this version needs."""
    version: int = connection.pg_version  # type: ignore[attr-defined]
    plain = [
        ("tierline", "Tierline", settings.VERSION),
        ("python", "Python", python_version()),
        ("django", "Django", django.get_version()),
        ("postgresql", "PostgreSQL", f"{version // 10_000}.{version % 10_000}"),
        ("valkey", "Valkey", broker.version or _("not known")),
    ]
    readings = [Reading(f"version_{slug}", name, words) for slug, name, words in plain]
    return Part("versions", _("Versions"), [*readings, _migrations()])


def _migrations() -> Reading:
    missing = unapplied()
    label = _("Changes of the database")
    if not missing:
        return Reading("migrations_missing", label, _("all applied"), State.GOOD, 0)
    words = ngettext("%s is missing", "%s are missing", len(missing)) % len(missing)
    remedy = _("Run `manage.py migrate`: %s") % ", ".join(missing[:5])
    return Reading("migrations_missing", label, words, State.BAD, len(missing), remedy)


def unapplied() -> list[str]:
    """The migrations that the database does not have; a folded one counts by its parts."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [
        f"{app}.{name}"
        for (app, name), migration in sorted(_known().items())
        if (app, name) not in applied
        and not (migration.replaces and all(tuple(one) in applied for one in migration.replaces))
    ]


@cache
def _known() -> dict[tuple[str, str], Any]:
    return dict(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
