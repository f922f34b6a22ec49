"""Runs Tierline on this machine: its own servers unless others are named, and all its processes."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.catalogues import compile_catalogues
from config.checks import stopped_half_way
from config.servers import ServerTrouble, create_database, postgres_server, valkey_server
from config.supervisor import Supervisor, free_port, is_free, keep_secret_key, write_line
from roles.newcomers import is_untouched
from web.firstlink import first_link

WORKERS = {
    "worker": ("escalation", 2),
    "sender": ("messages", 2),
    "counter": ("celery", 1),
    "thinker": ("long", 1),
}
"""Each with its queues and processes; what counts or thinks keeps no step and no page waiting."""
PATIENT = ("nice", "-n", "10")
RECKONING = ("counter", "thinker")
"""Those that leave the processor to the others as long as these have work."""
CELERY = [sys.executable, "-m", "celery", "-q", "-A", "config.celery:app"]
QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat"]


class Command(BaseCommand):
    help = "Run everything on this machine. Ctrl-C ends it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--empty", action="store_true", help="make no example site")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        supervisor = Supervisor(settings.HOME, write_line)
        try:
            supervisor.take_home()
            if not is_free(settings.PORT):
                raise ServerTrouble(
                    f"Port {settings.PORT} is taken by another program. Set PORT to a free one."
                )
            start_servers(supervisor)
            env = child_environment(settings.HOME)
            wants_example = prepare() and not options["empty"]
            if wants_example:
                env["EXAMPLE_SITE"] = "true"  # the file that tells of it is not there yet
            # Pages first: while they load on one core, the example is made on another.
            start_doors(supervisor, env)
            if wants_example:
                supervisor.say("Making the example site")
                make_example(env)
            start_engines(supervisor, env)
            if supervisor.wait_for_page(f"http://127.0.0.1:{settings.PORT}/health"):
                announce(supervisor, time.monotonic() - begun, env["SECRET_KEY"])
            elif not supervisor.is_stopping:
                supervisor.say("The web processes have not answered; still trying.")
            supervisor.watch()
        except ServerTrouble as trouble:
            raise CommandError(str(trouble)) from trouble
        finally:
            supervisor.say("Stopping.")
            supervisor.stop()
        supervisor.say("All has ended.")


def start_servers(supervisor: Supervisor) -> None:
    """Start those servers that the environment does not name."""
    if "DATABASE_URL" not in os.environ:
        postgres = postgres_server(supervisor.home)
        supervisor.run_server(postgres)
        create_database(postgres)
    if "REDIS_URL" not in os.environ:
        supervisor.run_server(valkey_server(supervisor.home))


def child_environment(home: Path) -> dict[str, str]:
    """What every child is told; also written into the home for commands started by hand."""
    decided = {"SECRET_KEY": os.environ.get("SECRET_KEY") or keep_secret_key(home)}
    if "EMAIL_URL" not in os.environ:
        decided["EMAIL_URL"] = f"smtp://127.0.0.1:{free_port(1025)}"
    note = home / "env"
    note.touch(mode=0o600)
    note.write_text("".join(f"{name}={value}\n" for name, value in decided.items()))
    env = os.environ | decided
    env |= {"TIERLINE_HOME": str(home), "PORT": str(settings.PORT), "PYTHONUNBUFFERED": "1"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # it would make every start slower
    # Celery warns of root for the sake of pickled tasks; here they are JSON only.
    env.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    return env


def prepare() -> bool:
    """Bring tables and static files up to date; says whether the site is empty.

    Raises ServerTrouble when the tables stand where no migration leads on.
    """
    executor = MigrationExecutor(connection)
    if trouble := stopped_half_way(executor.loader):
        raise ServerTrouble(trouble)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        write_line("tierline | Bringing the tables up to date")
        call_command("migrate", verbosity=0, interactive=False)
    collect_static(settings.HOME / "static.mark")
    compile_catalogues()
    is_empty = not get_user_model().objects.exists()
    connection.close()
    return is_empty


def collect_static(mark: Path) -> None:
    """Collect the static files unless none has changed since the last time."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            seen = Path(storage.path(path)).stat()
            digest.update(f"{path} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    if mark.exists() and mark.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    mark.write_text(digest.hexdigest())


def make_example(env: dict[str, str]) -> None:
    """Make the example site; what the command prints are the sign-ins, kept for later starts.

    Raises ServerTrouble when it fails.
    """
    command = [sys.executable, "manage.py", "example_site"]
    answer = subprocess.run(
        command, env=env, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True, check=False
    )
    if answer.returncode:
        raise ServerTrouble("The example site could not be made; see above.")
    note = settings.HOME / "sign-ins.txt"
    note.touch(mode=0o600)
    note.write_text(answer.stdout)


def start_doors(supervisor: Supervisor, env: dict[str, str]) -> None:
    """Start the web processes and the mail catcher."""
    python = sys.executable
    commands = {"web": [python, "-m", "config.serving"]}
    if "EMAIL_URL" not in os.environ:
        port = env["EMAIL_URL"].rpartition(":")[2]
        catcher = [python, "-m", "config.catcher", str(settings.MAIL_FOLDER), port]
        commands["mail"] = catcher
    for name, command in commands.items():
        supervisor.run_child(name, command, env, settings.BASE_DIR)


def start_engines(supervisor: Supervisor, env: dict[str, str]) -> None:
    """Start the workers and the beat."""
    commands = worker_commands()
    commands["beat"] = [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]
    for name, command in commands.items():
        supervisor.run_child(name, command, env, settings.BASE_DIR)


def worker_commands() -> dict[str, list[str]]:
    """The command line of each kind of worker, by its name."""
    return {
        name: [
            *(PATIENT if name in RECKONING else ()),
            *(*CELERY, "worker", "-Q", queues, "-n", f"{name}@%h", "-c", str(processes)),
            *(*QUIET, "--loglevel", "WARNING"),
        ]
        for name, (queues, processes) in WORKERS.items()
    }


def announce(supervisor: Supervisor, took_s: float, secret_key: str) -> None:
    """Say where the service is and who may sign in, or how the first account is made."""
    supervisor.say(f"Ready in {took_s:.1f} s: {settings.PUBLIC_URL}")
    if is_untouched():
        supervisor.say(f"Make the first account here: {first_link(secret_key=secret_key)}")
    connection.close()
    sign_ins = settings.HOME / "sign-ins.txt"
    if sign_ins.exists():
        for line in sign_ins.read_text().splitlines():
            supervisor.say(line)
    supervisor.say("Ctrl-C ends everything.")
