"""The local mail catcher: an SMTP server on the loopback that keeps what it gets and sends nothing.

Started as `python -m config.catcher FOLDER PORT [HOST]`, without Django, to be there first.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 5000
PRUNE_EVERY = 100
SIZE_LIMIT = 10 * 1024 * 1024
AGAIN_S = 2.0
GOES_ON = "no mail is caught, and all else goes on, until whatever has it ends."


class Keeper:
    """Writes each message into a file of its own; the newest `KEPT` stay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        number = next(self.numbers)
        name = f"{time.time_ns():020d}-{os.getpid()}-{number}.eml"
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(envelope.original_content or b"")
        unfinished.rename(self.folder / name)
        if number % PRUNE_EVERY == 0:
            self.prune()
        return "250 Kept"

    def prune(self) -> None:
        for path in sorted(self.folder.glob("*.eml"))[:-KEPT]:
            path.unlink(missing_ok=True)


async def _serve(folder: Path, port: int, host: str) -> None:
    keeper = Keeper(folder)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)

    def door() -> SMTP:
        return SMTP(keeper, hostname="localhost", data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True)

    is_told = False
    while not stop.is_set():
        try:
            server = await loop.create_server(door, host=host, port=port)
        except OSError as trouble:
            if not is_told:
                sys.stdout.write(f"Port {port} is not free ({trouble.strerror}): {GOES_ON}\n")
                sys.stdout.flush()
                is_told = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_S)
            continue
        async with server:
            await stop.wait()


def serve(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    """Catch mail on `host`:`port` into `folder` until SIGINT or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(folder, port, host))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:4])
