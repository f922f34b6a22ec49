"""Counts wrong passwords per account and address, so that guessing stops being worth while."""

import hashlib
import logging

from django.core.cache import cache

log = logging.getLogger(__name__)

LIMIT_PER_ACCOUNT = 5
LIMIT_PER_ADDRESS = 30
WINDOW_S = 15 * 60
SIGN_IN = "signin"
"""Each act that could be tried too often has counters of its own."""


def is_blocked(username: str, address: str, act: str = SIGN_IN) -> bool:
    """Whether this account from this address, or this address, has failed too often of late.

    Without the cache nothing is known and nobody is blocked: a sign-in must not depend on it.
    """
    try:
        known = cache.get_many(_keys(username, address, act))
    except Exception:  # (any backend raises its own; none may lock people out)
        log.warning("sign-in: the cache does not answer, guesses are not counted")
        return False
    account, of_address = _keys(username, address, act)
    return (
        known.get(account, 0) >= LIMIT_PER_ACCOUNT or known.get(of_address, 0) >= LIMIT_PER_ADDRESS
    )


def note_failure(username: str, address: str, act: str = SIGN_IN) -> None:
    """Count one wrong password; the count is forgotten a quarter of an hour after the first."""
    try:
        for key in _keys(username, address, act):
            if not cache.add(key, 1, WINDOW_S):
                cache.incr(key)
    except Exception:  # (see is_blocked; incr also raises when the key has just expired)
        log.warning("sign-in: a wrong password could not be counted")


def forget_failures(username: str, address: str) -> None:
    """The right password was given: the account starts afresh."""
    try:
        cache.delete(_keys(username, address, SIGN_IN)[0])
    except Exception:  # (see is_blocked)
        log.warning("sign-in: the cache does not answer")


def _keys(username: str, address: str, act: str) -> tuple[str, str]:
    """Under which the account from that address is counted, and the address alone."""
    pair = f"{username.strip().lower()}\n{address}"
    digests = [hashlib.sha256(each.encode()).hexdigest() for each in (pair, address)]
    return f"{act}:account:{digests[0]}", f"{act}:address:{digests[1]}"
