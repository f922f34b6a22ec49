"""A mail server that takes everything, 5 ms each, and notes when which key came."""

import asyncio
import sys
import time
from email.parser import BytesHeaderParser
from pathlib import Path

from aiosmtpd.controller import Controller

ACCEPT_S = 0.005


class Sink:
    """Writes "seconds key" for every mail."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes.open("a", buffering=1)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 (the mail server looks for this name)
        await asyncio.sleep(ACCEPT_S)
        head = BytesHeaderParser().parsebytes(envelope.content)
        self._notes.write(f"{time.time():.6f} {head['X-Tierline-Key']}\n")
        return "250 OK"


def main() -> None:
    port, notes = int(sys.argv[1]), Path(sys.argv[2])
    controller = Controller(Sink(notes), hostname="127.0.0.1", port=port)
    controller.start()
    print("ready", flush=True)
    sys.stdin.read()  # until whoever started us is done
    controller.stop()


if __name__ == "__main__":
    main()
