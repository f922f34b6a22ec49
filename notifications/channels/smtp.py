"""An SMTP connection that obeys one deadline in all, however slowly the other side drips."""

import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.mail.backends.smtp import EmailBackend

from notifications.watch import Watch, present_watch


class WatchedSMTP(smtplib.SMTP):
    """smtplib's client, whose socket is guarded from the moment it is connected."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        present_watch().adopt(line)
        return line


class WatchedSMTPS(smtplib.SMTP_SSL, WatchedSMTP):
    """The same over TLS from the first byte: SMTP_SSL wraps what WatchedSMTP connects."""


class WatchedBackend(EmailBackend):
    """Django's SMTP backend on watched connections."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return WatchedSMTPS if self.use_ssl else WatchedSMTP


class Session:
    """One SMTP connection, kept for the next message; one thread uses it at a time."""

    def __init__(self, timeout_s: float) -> None:
        self._watch = Watch()
        self._timeout_s = timeout_s
        self._backend = WatchedBackend(timeout=timeout_s)

    @property
    def expired(self) -> bool:
        return self._watch.expired

    @contextmanager
    def connected(self, deadline_s: float) -> Iterator[EmailBackend]:
        """Lend a backend with a living connection for `deadline_s` seconds.

        Raises what smtplib and the socket raise; the session is then closed.
        """
        with self._watch.armed(deadline_s):
            try:
                self._revive()
                yield self._backend
            except BaseException:
                self._drop()
                raise

    def close(self, deadline_s: float = 2.0) -> None:
        """Take leave of the server, politely if it answers in time."""
        with self._watch.armed(deadline_s):
            try:
                self._backend.close()
            except (OSError, smtplib.SMTPException):
                self._drop()
        self._watch.release()

    def _revive(self) -> None:
        connection = self._backend.connection
        if connection is not None:
            try:
                if connection.noop()[0] == 250:
                    return
            except (OSError, smtplib.SMTPException):
                pass  # servers hang up on idle clients; that is no failed try
            self._drop()
        self._backend.open()

    def _drop(self) -> None:
        self._watch.cut()
        self._watch.release()
        self._backend = WatchedBackend(timeout=self._timeout_s)
