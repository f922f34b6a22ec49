"""Sees at the socket whether a kept connection still stands, where Django would ask the server."""

import select
import time
from typing import Any, Final

from django.db.backends.postgresql import base

ASK_AFTER_S: Final = 30.0
"""What has rested for longer may be forgotten by something in between, which says nothing."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A server that ends a connection says so: as long as nothing has come, it stands."""

    # The stubs know these of a later Django alone.
    health_check_enabled: bool
    health_check_done: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stood_at = -ASK_AFTER_S

    def close_if_health_check_failed(self) -> None:
        """Close what is of no use any more, before the first statement of a request."""
        if self.connection is None or not self.health_check_enabled or self.health_check_done:
            return
        now = time.monotonic()
        if now - self._stood_at < ASK_AFTER_S and self._is_quiet():
            self.health_check_done = True
        else:
            super().close_if_health_check_failed()
        self._stood_at = now

    def _is_quiet(self) -> bool:
        """Whether nothing waits to be read: neither a farewell nor the end of the line."""
        if self.connection.closed:
            return False
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        return not socket.poll(0)
