"""A site of its own for one command: servers and processes in a folder that is gone afterwards."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from config.addresses import postgres_url, valkey_url
from config.management.commands.up import CELERY, worker_commands
from config.processes import describe_exit
from config.servers import (
    Server,
    ServerTrouble,
    create_database,
    die_with_parent,
    postgres_server,
    valkey_server,
)

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 15.0


class ScratchSite:
    """A context in which a whole site runs, without its pages; nothing of it reaches another site.

    Raises ServerTrouble when something does not start.
    """

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="tierline-scratch-"))
        self.env = self._environment()
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()

    def _environment(self) -> dict[str, str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            mail_port = probe.getsockname()[1]
        own = {
            "TIERLINE_HOME": str(self.home),
            "DATABASE_URL": postgres_url(self.home),
            "REDIS_URL": valkey_url(self.home),
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
        }
        return os.environ | own

    def __enter__(self) -> "ScratchSite":
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, self.home, ignore_errors=True)
            postgres = postgres_server(self.home)
            self._start_server(stack, postgres)
            create_database(postgres)
            self._start_server(stack, valkey_server(self.home))
            self.manage("migrate", "--verbosity", "0")
            stack.callback(self._end_programs)
            self._start_programs()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start_server(self, stack: ExitStack, server: Server) -> None:
        stack.callback(server.stop)
        server.start(self.home / f"{server.name}.log")

    def manage(self, *words: str) -> None:
        """Run one of our commands inside; its output is ours. Raises ServerTrouble for a fault."""
        finished = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.env, check=False
        )
        if finished.returncode:
            raise ServerTrouble(f"{words[0]} {describe_exit(finished.returncode)} inside.")

    def _start_programs(self) -> None:
        port = self.env["EMAIL_URL"].rpartition(":")[2]
        mail = str(self.home / "mail")
        commands = {
            "mail": [sys.executable, "-m", "config.catcher", mail, port],
            **worker_commands(),
        }
        commands["beat"] = [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]
        commands["beat"] += ["--schedule", str(self.home / "beat-schedule")]
        for name, command in commands.items():
            self._programs[name] = self._spawn(name, command)

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  (one system call)
            )

    def troubles(self) -> list[str]:
        """One sentence for each process that has ended by itself, with the last it said."""
        found = []
        for name, program in self._programs.items():
            if program.poll() is not None:
                said = (self.home / f"{name}.log").read_text(errors="replace").splitlines()
                how = describe_exit(program.returncode)
                found.append(f"{name} {how}: {' '.join(said[-3:])}")
        return found

    def _end_programs(self) -> None:
        for program in self._programs.values():
            program.terminate()
        for program in self._programs.values():
            try:
                program.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait()
