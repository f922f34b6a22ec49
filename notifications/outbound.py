"""The one safe HTTP client of the house: posts to addresses that people typed in, and no further.

The name is resolved once and every answer judged, the connection goes to the address so judged,
no redirect is followed, no proxy or credential of this machine is used, and one deadline bounds
everything: name server, handshake, answer.
"""

import ipaddress
import logging
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoResult
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from time import monotonic
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from notifications.watch import Watch, present_watch

# Debugging, it tells the path of every call, and that of a chat's webhook is itself a right.
logging.getLogger("urllib3").setLevel(logging.INFO)

DEADLINE_S: Final = 10.0
CONNECT_S: Final = 5.0
BODY_MAX: Final = 64 * 1024
URL_MAX: Final = 500
PORTS: Final = {"https": 443, "http": 80}
PUBLIC_PORTS: Final = frozenset({443, 8443})

# What Python calls global and is not: tunnels, behind which anything may lie, and old local nets.
DENIED: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.88.99.0/24",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


class Unsafe(ValueError):
    """An address that is not to be called, in words for whoever typed it."""


@dataclass(frozen=True)
class Place:
    """Where a call goes: the name for the certificate and the header, the address for the line."""

    url: str
    host: str
    port: int
    is_named: bool

    @property
    def name(self) -> str:
        """The place as the site's setting names it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What came back: the status, at most 64 KB of body, and how long to wait if it said so."""

    status: int
    body: bytes
    retry_after_s: float | None = None


def place_of(url: str) -> Place:
    """The place that a URL means. Raises Unsafe for one that must not be called.

    Only hosts that the site's WEBHOOK_HOSTS names (as `host` or `host:port`) may be spoken to in
    plain HTTP, on other ports, or inside the site's own network.
    """
    if len(url) > URL_MAX or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise Unsafe(f"An address has no blanks and at most {URL_MAX} characters.")
    try:
        parts = urlsplit(url)
        host, port = _host(parts), parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise Unsafe("This is no address.") from None
    if parts.scheme not in PORTS or not host:
        raise Unsafe("The address must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise Unsafe("The address must not hold a name or password.")
    is_named = bool({host, f"{host}:{port}"} & {name.lower() for name in settings.WEBHOOK_HOSTS})
    if not is_named and parts.scheme != "https":
        raise Unsafe("The address must begin with https://.")
    if not is_named and port not in PUBLIC_PORTS:
        raise Unsafe(f"Port {port} is not open to this; use 443 or 8443.")
    return Place(url=url, host=host, port=port, is_named=is_named)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    return host if ":" in host else host.encode("idna").decode("ascii").lower()


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open network, whatever way it is written."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_multicast or found.is_reserved or any(found in network for network in DENIED):
        return False
    return found.is_global


def resolve(place: Place, deadline_s: float) -> str:
    """The address to connect to; raises Unsafe unless all answers are public or the host is named.

    Raises OSError when the name server knows none or does not answer in time.
    """
    answer: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM))
        except BaseException as problem:
            answer.set_exception(problem)

    # A name server may hang for half a minute; nothing in Python interrupts that.
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = [str(row[4][0]) for row in answer.result(timeout=deadline_s)]
    except NoResult:
        raise TimeoutError("the name server did not answer in time") from None
    except UnicodeError:
        raise Unsafe("This is no host name.") from None
    if not found:
        raise OSError("the host name is not known")
    if not place.is_named and not all(is_public(address) for address in found):
        raise Unsafe("The host lies in a private network.")
    return found[0]


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    deadline_s: float = DEADLINE_S,
) -> Answer:
    """Post the body and return the answer, whatever its status, within `deadline_s` in all.

    Raises Unsafe for an address that must not be called, TimeoutError when the time is up, and
    ConnectionError for every other way in which a line fails. Its words are kept and shown with the
    try, so they never hold the address: that of a chat's webhook is its secret.
    """
    begun = monotonic()
    place = place_of(url)
    try:
        address = resolve(place, min(deadline_s, CONNECT_S))
    except socket.gaierror as problem:
        raise ConnectionError(_trouble(problem)) from None
    watch = Watch()
    left_s = max(0.05, deadline_s - (monotonic() - begun))
    try:
        with watch.armed(left_s), _session(address) as session:
            return _exchange(session, place, body, headers, left_s)
    except (requests.RequestException, HTTPError, OSError) as problem:
        if watch.expired or isinstance(problem, requests.Timeout):
            raise TimeoutError(f"No answer within {deadline_s:g} s.") from None
        raise ConnectionError(_trouble(problem)) from None
    finally:
        watch.release()


def _trouble(problem: BaseException) -> str:
    """What the system itself says of a line that failed, else the kind of failure."""
    cause: BaseException | None = problem
    while cause is not None:
        words = getattr(cause, "strerror", None)
        if words:
            return str(words)
        cause = cause.__cause__ or cause.__context__
    return type(problem).__name__


def _exchange(
    session: requests.Session, place: Place, body: bytes, headers: Mapping[str, str], left_s: float
) -> Answer:
    sent = session.post(
        place.url,
        data=body,
        # The body is read as it comes: nothing is unpacked, so that no small answer grows large.
        headers={"User-Agent": "Tierline", "Accept-Encoding": "identity", **headers},
        timeout=(min(CONNECT_S, left_s), left_s),
        allow_redirects=False,
        stream=True,
    )
    retry_after_s = _seconds(sent.headers.get("Retry-After", ""))
    try:
        read = sent.raw.read(BODY_MAX, decode_content=False) or b""
    except (HTTPError, OSError):
        # The status is known, and it is the answer; a line torn after it takes nothing back.
        read = b""
    return Answer(sent.status_code, read, retry_after_s)


def _seconds(text: str) -> float | None:
    """What a Retry-After header says, in seconds from now; None where it says nothing."""
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        at = parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


class _Pinned:
    """Connects to an address decided on beforehand, watched from the first moment."""

    _dns_host: str

    def __init__(self, address: str, **given: Any) -> None:
        super().__init__(**given)
        self._address = address

    def _new_conn(self) -> socket.socket:
        # Only the line goes elsewhere: certificate, SNI and Host header are about the name.
        name, self._dns_host = self._dns_host, self._address
        try:
            line: socket.socket = super()._new_conn()  # type: ignore[misc]
        finally:
            self._dns_host = name
        present_watch().adopt(line)
        return line


class _PinnedHTTP(_Pinned, HTTPConnection):
    """Plain HTTP to a pinned address."""


class _PinnedHTTPS(_Pinned, HTTPSConnection):
    """HTTPS to a pinned address."""


class _PinningAdapter(HTTPAdapter):
    """Makes every connection of a session go to one address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **given: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **given)
        kind = _PinnedHTTPS if pool.scheme == "https" else _PinnedHTTP
        pool.ConnectionCls = partial(kind, self._address)  # type: ignore[assignment]
        return pool


def _session(address: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc, no certificates of the environment
    for scheme in PORTS:
        session.mount(f"{scheme}://", _PinningAdapter(address))
    return session
