"""A small HTTP server on this machine that behaves as badly as a test asks it to."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@dataclass
class Call:
    """One request as it came: first line, headers in lower case, body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with `answer`; "hang", "drip", "drip-body", "huge" and "reset" misbehave."""

    port: int
    answer: bytes | str = OK
    calls: list[Call] = field(default_factory=list)
    by_path: dict[str, bytes] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/in"

    def says(self, status: str, *headers: str, body: bytes = b"") -> None:
        """Answer like this from now on."""
        head = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
        self.answer = "\r\n".join(head).encode() + b"\r\n\r\n" + body


def read_call(line: socket.socket) -> Call:
    data = b""
    while b"\r\n\r\n" not in data:
        part = line.recv(65536)
        if not part:
            raise ConnectionError
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += line.recv(65536)
    return Call(first, headers, body)


def misbehave(line: socket.socket, way: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
    if way == "hang":
        time.sleep(3)
    elif way in ("drip", "drip-body"):
        line.sendall(head if way == "drip-body" else b"")
        for letter in b"HTTP/1.1 200 OK\r\n" * 20:
            line.sendall(bytes([letter]))
            time.sleep(0.1)
    elif way == "huge":
        line.sendall(head)
        for _ in range(2000):
            line.sendall(b"x" * 10_000)
    elif way == "reset":
        line.sendall(head + b"some")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens while the block runs."""
    server = socket.create_server(("127.0.0.1", 0))
    receiver = Receiver(server.getsockname()[1])

    def serve(line: socket.socket) -> None:
        with line:
            try:
                call = read_call(line)
                receiver.calls.append(call)
                answer = receiver.by_path.get(call.line.split()[1], receiver.answer)
                if isinstance(answer, bytes):
                    line.sendall(answer)
                else:
                    misbehave(line, answer)
            except OSError:
                pass  # the caller hung up, which is what some tests want

    def listen() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield receiver
    finally:
        server.close()
