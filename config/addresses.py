"""Where our own servers listen, and addresses in the forms that different libraries want."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

SOCKET_PATH_MAX = 107  # sun_path on Linux, without its closing zero
DATABASE_NAME = "tierline"
ROLE = "tierline"
_LONGEST_NAME = ".s.PGSQL.5432.lock"


def socket_folder(home: Path, name: str) -> Path:
    """The folder for the sockets of server `name`, within the kernel's limit on such paths."""
    folder = home.absolute() / "run" / name
    if len(os.fsencode(folder / _LONGEST_NAME)) <= SOCKET_PATH_MAX:
        return folder
    mark = hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tierline-{os.geteuid()}-{mark}-{name}"


def postgres_url(home: Path) -> str:
    """The address of the embedded PostgreSQL that keeps its data in `home`."""
    return f"postgresql://{ROLE}@/{DATABASE_NAME}?host={quote(str(socket_folder(home, 'pg')))}"


def valkey_socket(home: Path) -> Path:
    """The socket of the embedded Valkey that keeps its data in `home`."""
    return socket_folder(home, "valkey") / "valkey.sock"


def valkey_url(home: Path) -> str:
    """The address of the embedded Valkey that keeps its data in `home`."""
    return f"unix://{quote(str(valkey_socket(home)))}"


def broker_address(redis_url: str) -> str:
    """The address of a Redis as Celery wants it: a socket has another scheme there."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"
