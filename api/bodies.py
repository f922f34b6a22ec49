"""Reads request bodies: no longer than allowed, unpacked, and as JSON or not at all."""

import zlib
from collections.abc import Iterable, Mapping
from typing import IO, Any, Protocol

import orjson
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from api.errors import TooLarge

ANYTHING = "*/*"


class FastJSON(JSONRenderer):
    """JSON as it goes out: the framework's form, made by a quicker hand."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes; "" for no data."""
        if data is None:
            return b""
        return orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS)


class PlainWish(DefaultContentNegotiation):
    """What most programs ask for, anything or JSON, needs no weighing of media types."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The renderer, and the media type that it makes. Raises NotAcceptable."""
        first = next(iter(renderers))
        if request.META.get("HTTP_ACCEPT", ANYTHING) in (ANYTHING, first.media_type):
            return first, first.media_type
        found: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return found


def _plain(value: Any) -> Any:
    """What orjson has no form for: lazy texts, decimals, sets; as the framework would say it."""
    return ENCODER.default(value)


ENCODER = JSONEncoder()
REST_BYTES_MAX = 1_000_000
CHARSETS = ("", "utf-8", "utf8", "us-ascii", "ascii")
GZIP_WINDOW = 16 + zlib.MAX_WBITS


class StrictJSONParser(BaseParser):
    """JSON in UTF-8, of bounded length and depth; anything else is said to be wrong."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The decoded body. Raises ParseError, TooLarge and UnsupportedMediaType."""
        headers = (parser_context or {})["request"].headers
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType(headers["Content-Encoding"])
        return decode(read_limited(stream, REST_BYTES_MAX), charset_of(media_type or ""))


class Readable(Protocol):
    """All that is asked of a body on its way in; Django's request has it too."""

    def read(self, size: int, /) -> bytes: ...


def read_limited(stream: Readable, limit: int) -> bytes:
    """All of the stream. Raises TooLarge when it is longer than `limit` bytes."""
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge
    return body


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its content encoding (none or gzip).

    Raises ParseError when it is cut or broken, TooLarge when it unpacks to more than `limit`
    bytes, UnsupportedMediaType for another encoding.
    """
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType(encoding)
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise ParseError("The gzip body is broken.") from None
    if len(plain) > limit:
        raise TooLarge
    if not unpacker.eof:
        raise ParseError("The gzip body is cut off.")
    return plain


def charset_of(content_type: str) -> str:
    """The charset parameter of a content type, in small letters; "" when there is none."""
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def decode(body: bytes, charset: str = "") -> Any:
    """The JSON value. Raises ParseError unless it is sane JSON in UTF-8."""
    if charset not in CHARSETS:
        raise UnsupportedMediaType(f"charset={charset}")
    try:
        return orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON in UTF-8: {error}") from None
