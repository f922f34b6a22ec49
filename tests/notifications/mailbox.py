"""A real SMTP server on loopback that can misbehave in the ways real ones do."""

import asyncio
import email
import email.policy
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtpd.controller import Controller


class Mailbox:
    """Keeps what it accepts; misbehaves towards the addresses told."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.asked: Counter[str] = Counter()
        self.greylisted: dict[str, int] = {}
        self.refused: set[str] = set()
        self.content_refused: set[str] = set()
        self.dropped: dict[str, int] = {}
        self.slow_s: dict[str, float] = {}

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        self.asked[address] += 1
        await asyncio.sleep(self.slow_s.get(address, 0))
        if self.greylisted.get(address, 0) > 0:
            self.greylisted[address] -= 1
            return "451 4.7.1 Greylisted, come again"
        if address in self.refused:
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        address = envelope.rcpt_tos[0]
        if address in self.content_refused:
            return "554 5.7.1 Not wanted here"
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        if self.dropped.get(address, 0) > 0:
            self.dropped[address] -= 1
            server.transport.abort()
        return "250 Accepted"


@contextmanager
def serving(mailbox: Mailbox) -> Iterator[int]:
    """Serve the mailbox on a free port of loopback, which is lent."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def dripping(pause_s: float) -> Iterator[int]:
    """Serve a greeting that comes one byte at a time and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        line, _ = listener.accept()
        with line:
            while not over.is_set():
                try:
                    line.sendall(b"2")
                except OSError:
                    return
                time.sleep(pause_s)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.close()
        thread.join(2)


@contextmanager
def silent() -> Iterator[tuple[int, list[float]]]:
    """Serve connections that are taken and never greeted; when each came."""
    listener = socket.create_server(("127.0.0.1", 0))
    came: list[float] = []
    lines: list[socket.socket] = []

    def take() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            came.append(time.monotonic())
            lines.append(line)

    threading.Thread(target=take, daemon=True).start()
    try:
        yield listener.getsockname()[1], came
    finally:
        listener.close()
        for line in lines:
            line.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
