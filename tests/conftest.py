"""Give the test run its own PostgreSQL and Valkey, and say plainly what was not run and why."""

import atexit
import fcntl
import functools
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import django
import psycopg2
import pytest
import redis

from config.catalogues import compile_catalogues
from config.servers import Server, ServerTrouble, create_database, postgres_server, valkey_server
from tests.hypothesis_profiles import choose_profile

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
OWN_APPS = ("roles", "notifications", "tickets", "escalation", "insights", "web", "api", "config")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def start_server(server: Server, home: Path) -> None:
    """Start a server for this process, ended when this process ends."""
    server.start(home / f"{server.name}.log")
    atexit.register(server.stop)


def start_servers() -> None:
    """Start what the environment does not name; the addresses go into the environment."""
    home = Path(tempfile.mkdtemp(prefix="tierline-test-"))
    home.chmod(0o711)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "static").mkdir()
    os.environ["TIERLINE_HOME"] = str(home)
    if "DATABASE_URL" not in os.environ:
        postgres = postgres_server(home, durable=False)
        start_server(postgres, home)
        create_database(postgres)
        os.environ["DATABASE_URL"] = postgres.url
    if "REDIS_URL" not in os.environ:
        os.environ["TIERLINE_TEST_REDIS"] = "own"
        start_own_valkey(home)


def start_own_valkey(home: Path) -> None:
    """A Valkey for this process alone: published hints reach every database of a server."""
    valkey = valkey_server(home, durable=False)
    start_server(valkey, home)
    os.environ["REDIS_URL"] = valkey.url


if "DJANGO_SETTINGS_MODULE" in os.environ:
    pytest.exit("Unset DJANGO_SETTINGS_MODULE: the tests choose their own settings.", returncode=3)
try:
    if not WORKER:
        start_servers()
    elif os.environ.get("TIERLINE_TEST_REDIS") == "own":
        # Under xdist the workers share the database server that the controlling process started.
        start_own_valkey(Path(os.environ["TIERLINE_HOME"]) / WORKER)
except ServerTrouble as trouble:
    pytest.exit(f"The tests need PostgreSQL and Valkey. {trouble}", returncode=3)
choose_profile()
os.environ.setdefault("DB_IDLE_IN_TRANSACTION_S", "120")  # a breakpoint holds its transaction
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
compile_catalogues()  # after a catalogue was changed, before anybody asks for its words
# An xdist worker that inherited this would read the settings before it has its own addresses.
del os.environ["DJANGO_SETTINGS_MODULE"]

from django.conf import settings  # noqa: E402  (settings need the servers' addresses)
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from tests.story import Story  # noqa: E402  (so do models)
from tests.worlds import Worlds  # noqa: E402

# Argon2 is slow on purpose, and a test signs in often.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The product's storage wants collected files.
settings.STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)


# ---- What could not run ------------------------------------------------------------------------


@functools.cache
def chromium_path() -> str | None:
    """A Chromium of this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


@functools.cache
def alertmanager_path() -> str | None:
    """Debian's Alertmanager, or None."""
    return shutil.which("prometheus-alertmanager")


@functools.cache
def dovecot_path() -> str | None:
    """Debian's Dovecot with its IMAP server, or None."""
    path = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return path if path and Path("/usr/lib/dovecot/imap").exists() else None


HISTORY = SHARED / "data" / "servicenow_incident_events_2016_train.csv.gz"
CAPTURES = SHARED / "captures"


def lacking() -> list[str]:
    """One sentence for each thing this machine lacks, with what is not run for want of it."""
    reasons = []
    if chromium_path() is None:
        reasons.append("Browser tests are not run: no Chromium (apt-get install chromium).")
    if alertmanager_path() is None:
        reasons.append(
            "The test against a real Alertmanager is not run: no prometheus-alertmanager "
            "(apt-get install prometheus-alertmanager)."
        )
    if dovecot_path() is None:
        reasons.append(
            "Fetching mail from a real IMAP server is not tried: no Dovecot "
            "(apt-get install dovecot-imapd)."
        )
    for name, package in (("opsgenie_sdk", "opsgenie-sdk"), ("pagerduty", "pagerduty")):
        if find_spec(name) is None:
            reasons.append(f"The vendor's own client is not run: no {package} (make test).")
    if not (shutil.which("spin") and shutil.which("cc")):
        reasons.append(
            "The model of the engine is not searched: no spin or C compiler "
            "(apt-get install spin gcc libc6-dev)."
        )
    if not HISTORY.exists():
        reasons.append(f"Tests on the recorded incident log are not run: no {HISTORY}.")
    if not CAPTURES.exists():
        reasons.append(f"Tests on recorded requests are not run: no {CAPTURES}.")
    return reasons


def pytest_report_header() -> list[str]:
    return ["Tierline: " + line for line in lacking()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.section("not run")
    for line in lacking():
        terminalreporter.write_line(line)
    if not lacking() and not skipped:
        terminalreporter.write_line("Nothing was left out.")
    elif skipped:
        terminalreporter.write_line(f"{len(skipped)} tests skipped; each says why above.")


LONGEST = (
    "tests/test_need_to_know.py",
    "tests/config/test_replay.py",
    "tests/config/test_up.py",
    "tests/model/",
    "tests/api/test_access.py",
    "tests/browser/",
    "tests/escalation/configuration/",
)
"""Begun first, so that no tester is left with one of them when the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    for item in items:
        names = item.fixturenames
        names.sort(key=lambda name: not name.endswith("_world"))  # before any transaction begins


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_history") and not HISTORY.exists():
        pytest.skip(f"no recorded incident log at {HISTORY}")
    if item.get_closest_marker("needs_captures") and not CAPTURES.exists():
        pytest.skip(f"no recorded requests at {CAPTURES}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; skips the test when the machine has none."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on this machine")
    return path


@pytest.fixture(scope="session")
def alertmanager() -> str:
    """Path of a real Alertmanager; skips the test when the machine has none."""
    path = alertmanager_path()
    if path is None:
        pytest.skip("no prometheus-alertmanager on this machine")
    return path


@pytest.fixture(scope="session")
def dovecot() -> str:
    """Path of a real IMAP server; skips the test when the machine has none."""
    path = dovecot_path()
    if path is None:
        pytest.skip("no Dovecot on this machine")
    return path


@pytest.fixture(scope="session")
def history() -> Path:
    """The recorded incident log; skips the test when it is not there."""
    if not HISTORY.exists():
        pytest.skip(f"no recorded incident log at {HISTORY}")
    return HISTORY


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of recorded requests; skips the test when it is not there."""
    if not CAPTURES.exists():
        pytest.skip(f"no recorded requests at {CAPTURES}")
    return CAPTURES


# ---- Databases ---------------------------------------------------------------------------------


def administer(*statements: str) -> None:
    """Run statements on the server's maintenance database, outside any transaction."""
    given = settings.DATABASES["default"]
    link = psycopg2.connect(
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        user=given["USER"] or None,
        password=given["PASSWORD"] or None,
        dbname="postgres",
    )
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        link.close()


def forget_caches() -> None:
    """Empty every cache of our own code: a cloned database uses the same keys again."""
    ContentType.objects.clear_cache()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OWN_APPS:
            for thing in list(vars(module).values()):
                clear: Callable[[], None] | None = getattr(thing, "cache_clear", None)
                if callable(clear) and not isinstance(thing, type):
                    clear()


@dataclass(frozen=True)
class LiveDatabase:
    """A database of one test's own, in which transactions are real."""

    name: str
    url: str


def lead_to(name: str) -> None:
    """Point all Django connections of this process, in every thread, to another database."""
    connections.close_all()
    connections["default"].settings_dict["NAME"] = name


@pytest.fixture(scope="session")
def template_database(django_test_environment: None, django_db_blocker) -> str:
    """The name of a migrated database to which nobody is connected, for cloning.

    One for the whole run: migrating takes seconds, cloning a tenth of one.
    """
    lock = (Path(os.environ["TIERLINE_HOME"]) / "template.lock").open("a+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    with lock, django_db_blocker.unblock():
        lock.seek(0)
        if name := lock.read():
            return name
        name = f"template_{os.getpid()}"
        administer(f'CREATE DATABASE "{name}"')
        before = connections["default"].settings_dict["NAME"]
        lead_to(name)
        call_command("migrate", verbosity=0, interactive=False)
        lead_to(before)
        lock.write(name)
        lock.flush()
    return name


def pytest_unconfigure() -> None:
    """Leave no template behind on a server that is not ours."""
    note = Path(os.environ["TIERLINE_HOME"]) / "template.lock"
    if not WORKER and note.exists() and (name := note.read_text()):
        administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker) -> Iterator[None]:
    """This process's database for ordinary tests, whose transactions are rolled back."""
    name = f"test_{os.getpid()}"
    administer(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    with django_db_blocker.unblock():
        lead_to(name)
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def worlds(django_db_setup: None, template_database: str, django_db_blocker) -> Iterator[Worlds]:
    """What is built once for many tests of this process."""
    with django_db_blocker.unblock():
        found = Worlds(template_database, f"world_{os.getpid()}", administer)
    yield found
    with django_db_blocker.unblock():
        found.drop()


@pytest.fixture
def story_world(worlds: Worlds, django_db_blocker) -> Iterator[Story]:
    """The cast of a story; to be asked for before the database."""
    with django_db_blocker.unblock(), worlds.entered("story", Story) as made:
        yield made


@pytest.fixture
def story(story_world: Story, db: None) -> Story:
    """Every story begins with the same cast on a Monday morning."""
    return story_world


_clone_number = itertools.count(1)


@pytest.fixture
def live_db(django_db_setup: None, template_database: str, django_db_blocker, monkeypatch):
    """Real transactions, threads and processes on a clone of the migrated database.

    Every Django connection of this process, in every thread, leads there during the test, and
    DATABASE_URL leads child processes there. The clone is dropped afterwards.
    """
    name = f"live_{os.getpid()}_{next(_clone_number)}"
    administer(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    before = connections["default"].settings_dict["NAME"]
    live_url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    monkeypatch.setenv("DATABASE_URL", live_url)
    forget_caches()
    with django_db_blocker.unblock():
        lead_to(name)
        try:
            yield LiveDatabase(name, live_url)
        finally:
            lead_to(before)
            forget_caches()
            administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def empty_redis() -> Iterator[redis.Redis]:
    """A client of this run's Valkey database, empty at the start and the end."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.flushdb()
    yield client
    client.flushdb()
    client.close()
