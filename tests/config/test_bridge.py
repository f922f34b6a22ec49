"""Pages behind the event loop: whole, streamed and long ones arrive as they were sent."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from django.core.handlers.wsgi import WSGIRequest

from config.bridge import BODY_MAX, Pages


class Whole(list[bytes]):
    """An answer that is there in one piece, as Django's are."""

    streaming = False
    closed_in = ""

    def close(self) -> None:
        self.closed_in = threading.current_thread().name


def ask(pages: Pages, *pieces: bytes) -> list[dict[str, Any]]:
    """What the server is told to send for a request whose body comes in these pieces."""
    sent: list[dict[str, Any]] = []
    waiting = [
        {"type": "http.request", "body": piece, "more_body": place < len(pieces)}
        for place, piece in enumerate(pieces, 1)
    ]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/é",
        "query_string": b"a=1",
        "headers": [(b"content-type", b"text/plain")],
    }
    asyncio.run(pages(scope, receive, send))
    return sent


def body_of(sent: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def test_a_whole_answer_goes_out_in_one_piece_and_is_closed_in_its_thread():
    answer = Whole()

    def application(environ: dict[str, Any], start: Any) -> Whole:
        start("201 Created", [("X-Path", environ["PATH_INFO"])])
        answer.append(environ["wsgi.input"].read() + environ["QUERY_STRING"].encode())
        return answer

    sent = ask(Pages(application, 1), b"one ", b"two ")
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[0]["headers"]) == (201, [(b"x-path", "/é".encode())])
    assert body_of(sent) == b"one two a=1"
    assert answer.closed_in.startswith("WSGI")


def test_a_streamed_answer_goes_out_piece_by_piece():
    def application(environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        start("200 OK", [])
        yield b"one "
        yield b"two"

    sent = ask(Pages(application, 1), b"")
    assert [message.get("body") for message in sent] == [None, b"one ", b"two", b""]


def test_a_long_body_is_read_while_it_comes():
    def application(environ: dict[str, Any], start: Any) -> Whole:
        start("200 OK", [])
        return Whole([str(len(environ["wsgi.input"].read())).encode()])

    half = b"x" * BODY_MAX
    assert body_of(ask(Pages(application, 1), half, half, half)) == str(3 * BODY_MAX).encode()


def test_a_fault_is_the_servers_to_answer():
    def application(environ: dict[str, Any], start: Any) -> Whole:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        ask(Pages(application, 1), b"")


class Served(uvicorn.Server):
    """A server in a thread, at a port of its own."""

    def __init__(self, application: Any) -> None:
        super().__init__(uvicorn.Config(application, port=0, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        while not self.started:
            time.sleep(0.01)
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    def __exit__(self, *_: Any) -> None:
        self.should_exit = True
        self._thread.join(timeout=10)


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_a_body_in_chunks_reaches_django_whole(count):
    """As .NET, Node and Java send it: without a length, and with one for comparison."""

    def application(environ: dict[str, Any], start: Any) -> Whole:
        read = WSGIRequest(environ).read(20 * BODY_MAX)
        start("200 OK", [])
        return Whole([json.dumps([len(read), read[-3:].decode()]).encode()])

    pieces = [b"x" * 20_000 + b"end"] * count
    with Served(Pages(application, 1)) as port:
        told = []
        for body in (iter(pieces), b"".join(pieces)):
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            client.request("POST", "/", body=body)
            told.append(json.loads(client.getresponse().read()))
            client.close()
    assert told == [[20_003 * count, "end" if count else ""]] * 2
