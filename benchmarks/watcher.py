"""One open page of the queue without a browser: it hears what differs and asks as live.js does."""

import asyncio
import gzip
import json
import random
import re
import time
from urllib.parse import quote

LAG_LIMIT_S = 10.0
QUIET_S = 0.06
"""What a page waits by itself before it asks again; see live.js."""


class Watcher:
    """One open page of the queue, as live.js behaves."""

    def __init__(self, port: int, session: str, query: str) -> None:
        self.port = port
        self.cookie = f"Cookie: sessionid={session}\r\n"
        self.query = query
        self.seen = asyncio.Event()
        self.was_told = False
        self._shown = ""
        self._seen_at = 0.0
        self._since = 0.0
        self._is_waiting = False
        self._asking = set[asyncio.Task[None]]()

    def expect(self, since: float) -> None:
        """From now on only a word or an answer counts that was asked for after this moment."""
        self.seen.clear()
        self.was_told, self._since = False, since

    def lag_s(self, committed: float) -> float:
        """How long after the commit the page was answered."""
        lag_s = self._seen_at - committed if self.seen.is_set() else LAG_LIMIT_S
        return min(max(0.0, lag_s), LAG_LIMIT_S)

    async def listen(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        head = f"GET /events/?topics=queue&page={quote('?' + self.query)} HTTP/1.1\r\n"
        writer.write(f"{head}Host: localhost\r\n{self.cookie}\r\n".encode())
        word = ""
        while line := await reader.readline():
            name, _, data = line.decode().rstrip().partition(": ")
            word = data if name == "event" else word
            if name == "data":
                self._hear(word, data)

    def _hear(self, word: str, data: str) -> None:
        if word == "same":
            self._note()
        elif word == "rows" and (news := json.loads(data))["from"] == self._shown:
            self._shown, self.was_told = news["to"], True
            self._note()
        elif word == "rows" and news["to"] == self._shown:
            self._note()
        elif not self._is_waiting:
            self._is_waiting = True
            spread_s = float(data) / 1000 if data.isdigit() else 0.0
            task = asyncio.create_task(self._ask(QUIET_S + random.random() * spread_s))
            self._asking.add(task)  # nobody else holds it: it would be swept away half done
            task.add_done_callback(self._asking.discard)

    def _note(self) -> None:
        self._seen_at = time.perf_counter()
        self.seen.set()

    async def _ask(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._is_waiting = False
        asked_at = time.perf_counter()
        answer = await self._fetch()
        if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            raise RuntimeError(answer[:200])
        if answer.startswith(b"HTTP/1.1 200"):
            self.was_told = True
            self._shown = _shown(answer)
        if asked_at >= self._since:
            self._note()

    async def _fetch(self) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        asked = ("HX-Request: true", "HX-Target: queue-live", "X-Live: 1", "Accept-Encoding: gzip")
        head = f"GET /?{self.query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += self.cookie + "\r\n".join((*asked, f"X-Shown: {self._shown}"))
        writer.write((head + "\r\n\r\n").encode())
        answer = await reader.read()
        writer.close()
        return answer


def _shown(answer: bytes) -> str:
    """What the page would say that it shows."""
    head, _, body = answer.partition(b"\r\n\r\n")
    text = gzip.decompress(body) if b"content-encoding: gzip" in head.lower() else body
    found = re.search(rb'data-shown="([0-9a-f]+)"', text)
    return found[1].decode() if found else ""
