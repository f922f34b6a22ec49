"""A watch over one connection: it is cut at one deadline, however slowly the other side drips."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Watch:
    """Cuts the connection it guards when the time is up.

    A socket timeout bounds each read; a server that sends one byte a second never meets it.
    """

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self.expired = False

    def adopt(self, line: socket.socket) -> None:
        """Guard this socket; raises TimeoutError when the time was up before it connected."""
        if self.expired:
            line.close()
            raise TimeoutError("connected after the deadline")
        self.release()
        # A second handle on the same connection: it outlives the wrapping into TLS.
        self._line = line.dup()

    def release(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    @contextmanager
    def armed(self, deadline_s: float) -> Iterator[None]:
        """Cut whatever is guarded, or comes to be guarded, `deadline_s` seconds from now."""
        self.expired = False
        timer = threading.Timer(deadline_s, self._expire)
        timer.daemon = True
        timer.start()
        token = _present.set(self)
        try:
            yield
        finally:
            _present.reset(token)
            timer.cancel()

    def cut(self) -> None:
        """End the connection, whoever else holds it."""
        line = self._line
        if line is not None:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # gone already, which is all that was wanted

    def _expire(self) -> None:
        self.expired = True
        self.cut()


_present: ContextVar[Watch] = ContextVar("present_watch")


def present_watch() -> Watch:
    """The watch that is armed around the code that asks; raises LookupError where none is."""
    return _present.get()
