"""Names places of the feed so that neither their order nor how many lie between can be read."""

from hashlib import blake2b
from typing import Final

from django.conf import settings

ROUNDS: Final = 4
HALF_BITS: Final = 32
MASK: Final = (1 << HALF_BITS) - 1


def seal(place: int) -> str:
    """The place as it is handed out: sixteen hexadecimal digits."""
    left, right = place >> HALF_BITS, place & MASK
    for number in range(ROUNDS):
        left, right = right, left ^ _mixed(right, number)
    return f"{(left << HALF_BITS) | right:016x}"


def unseal(text: str) -> int | None:
    """The place of that name; None for what is no name of ours.

    A made-up name leads somewhere too, far beyond the last place mostly.
    """
    try:
        value = int(text, 16)
    except ValueError:
        return None
    if len(text) != 16 or value < 0:
        return None
    left, right = value >> HALF_BITS, value & MASK
    for number in reversed(range(ROUNDS)):
        left, right = right ^ _mixed(left, number), left
    return (left << HALF_BITS) | right


def _mixed(half: int, number: int) -> int:
    """A Feistel round: a keyed digest of one half."""
    key = blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"tierline.feed").digest()
    told = bytes([number]) + half.to_bytes(4, "big")
    return int.from_bytes(blake2b(told, digest_size=4, key=key).digest(), "big")
