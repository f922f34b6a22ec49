"""Pages behind the event loop: whole, streamed and long ones arrive as they were sent."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

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
