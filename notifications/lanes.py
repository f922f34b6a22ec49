"""Threads that sends run in: kept for the next send, and left behind where one hangs for good."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

from notifications.channels.message import SendResult

Send = Callable[[], SendResult]
Job = tuple[Send, "Future[SendResult]"]


class Lane(threading.Thread):
    """One daemon thread that sends one message after the other; a hanging one ends no process."""

    def __init__(self) -> None:
        super().__init__(name="send", daemon=True)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()

    def run(self) -> None:
        while (job := self._jobs.get()) is not None:
            send, future = job
            try:
                future.set_result(send())
            except BaseException as problem:
                future.set_exception(problem)

    def take(self, send: Send) -> "Future[SendResult]":
        """What comes of the send, once it has."""
        future: Future[SendResult] = Future()
        self._jobs.put((send, future))
        return future

    def end(self) -> None:
        """End after what is under way, if that ever comes back."""
        self._jobs.put(None)


class Lanes:
    """Lends a lane to each send; starting a thread for each would cost more than many a send."""

    def __init__(self) -> None:
        self._idle: list[Lane] = []
        self._busy: dict[Future[SendResult], Lane] = {}

    def start(self, send: Send) -> "Future[SendResult]":
        """Begin the send in a lane of its own."""
        if self._idle:
            lane = self._idle.pop()
        else:
            lane = Lane()
            lane.start()
        future = lane.take(send)
        self._busy[future] = lane
        return future

    def release(self, future: "Future[SendResult]") -> None:
        """The send is over, or given up; a lane in which it still hangs is used no more."""
        lane = self._busy.pop(future)
        if future.done():
            self._idle.append(lane)
        else:
            lane.end()

    def rest(self) -> None:
        """Let every thread end, each after what is under way in it."""
        for lane in (*self._idle, *self._busy.values()):
            lane.end()
        self._idle, self._busy = [], {}
