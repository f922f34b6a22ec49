"""Counts wrong passwords per account and address, so that guessing stops being worth while."""

import hashlib
import logging

from django.core.cache import cache

log = logging.getLogger(__name__)

LIMIT_PER_ACCOUNT = 5
LIMIT_PER_ADDRESS = 30
WINDOW_S = 15 * 60


def is_blocked(username: str, address: str) -> bool:
    """Whether this account from this address, or this address, has failed too often of late.

    Without the cache nothing is known and nobody is blocked: a sign-in must not depend on it.
    """
    try:
        known = cache.get_many([_account_key(username, address), _address_key(address)])
    except Exception:  # (any backend raises its own; none may lock people out)
        log.warning("sign-in: the cache does not answer, guesses are not counted")
        return False
    return (
        known.get(_account_key(username, address), 0) >= LIMIT_PER_ACCOUNT
        or known.get(_address_key(address), 0) >= LIMIT_PER_ADDRESS
    )


def note_failure(username: str, address: str) -> None:
    """Count one wrong password; the count is forgotten a quarter of an hour after the first."""
    try:
        for key in (_account_key(username, address), _address_key(address)):
            if not cache.add(key, 1, WINDOW_S):
                cache.incr(key)
    except Exception:  # (see is_blocked; incr also raises when the key has just expired)
        log.warning("sign-in: a wrong password could not be counted")


def forget_failures(username: str, address: str) -> None:
    """The right password was given: the account starts afresh."""
    try:
        cache.delete(_account_key(username, address))
    except Exception:  # (see is_blocked)
        log.warning("sign-in: the cache does not answer")


def _account_key(username: str, address: str) -> str:
    pair = f"{username.strip().lower()}\n{address}"
    return f"signin:account:{hashlib.sha256(pair.encode()).hexdigest()}"


def _address_key(address: str) -> str:
    return f"signin:address:{hashlib.sha256(address.encode()).hexdigest()}"
