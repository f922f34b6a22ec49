"""Our own words for messages, said in the language of whoever reads them.

Letters are written once, in English, by floors that know no reader. Those floors name their phrases
here, marked for the catalogues; at send time a phrase that is found again is said in the reader's
language. What somebody wrote stands as it was written.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

REASONS: Final = frozenset(
    {
        gettext_noop("Waits a minute: news about one thing comes together."),
        gettext_noop("Told together with message {key}."),
        gettext_noop("Told over another channel instead, which took it."),
        gettext_noop("Gave up after {tries} tries: {detail}"),
        gettext_noop("Gave up after {tries} tries, the last one interrupted."),
        gettext_noop("The recipient's account is switched off."),
        gettext_noop("The recipient is not cleared for it any more."),
        gettext_noop("The recipient has no address for {channel}."),
        gettext_noop("There is no channel called {channel}."),
        gettext_noop("Withdrawn or taken over before its turn."),
        gettext_noop("Its turn came too late in the lease."),
        gettext_noop("No answer within {seconds} s."),
        gettext_noop("Never answered."),
        gettext_noop("Not tried: the provider did not answer a moment ago."),
        gettext_noop("Not tried: the provider takes no more just now."),
        gettext_noop("Not tried: the mail server did not answer a moment ago."),
        gettext_noop("Not tried: the receiver did not answer a moment ago."),
        gettext_noop("Not tried: the service takes no more just now."),
        gettext_noop("The service did not take it."),
        gettext_noop("{reason} It had just gone out."),
        gettext_noop("acknowledged"),
        gettext_noop("taken"),
        gettext_noop("accepted"),
        gettext_noop("the ticket has become restricted"),
        gettext_noop("something is to come again"),
        gettext_noop("steps are carried out again"),
    }
)
"""Why a message ended, or a try did, as the lists of messages show it."""
_phrases: set[str] = set()
_PLACE: Final = re.compile(r"\{(\w+)\}")
_HEAD: Final = re.compile(r"(?:\[[^\]]+\] )?(?:P\d )?")
"""What stands before the words of a subject: the ticket's key and priority."""
_ENDS: Final = r"(?=: |$)"


def ship(phrases: Iterable[str]) -> None:
    """Have these phrases, with places for names in braces, said in each reader's language."""
    _phrases.update(phrases)
    _compiled.cache_clear()


def subject_in(language: str, subject: str) -> str:
    """The subject with its phrase in that language: the words between the key and a colon."""
    if language.startswith("en"):
        return subject
    head = _HEAD.match(subject)
    begins = head.end() if head else 0
    for pattern, phrase in _compiled():
        found = re.compile(pattern + _ENDS).match(subject, begins)
        if found is not None:
            return subject[:begins] + _said(phrase, found, language) + subject[found.end() :]
    service, colon, words = subject.partition(": ")
    if colon and not begins:  # to people outside of the ticket, who read the service's name
        return f"{service}: {_line_in(language, words)}"
    return subject


def body_in(language: str, body: str) -> str:
    """The text with each line that is a phrase of ours in that language."""
    if language.startswith("en"):
        return body
    return "\n".join(_line_in(language, line) for line in body.split("\n"))


def reason_in(language: str, reason: str) -> str:
    """Why a message or a try ended, in that language; what somebody else said stands as it is."""
    return reason if language.startswith("en") else _line_in(language, reason, REASONS)


def _line_in(language: str, line: str, phrases: frozenset[str] | None = None) -> str:
    for pattern, phrase in _compiled() if phrases is None else _patterns(phrases):
        found = re.fullmatch(pattern, line.strip())
        if found is not None:
            return _said(phrase, found, language)
    return line


def _said(phrase: str, found: re.Match[str], language: str) -> str:
    with translation.override(language):
        said = gettext(phrase)
    values = found.groupdict()
    return _PLACE.sub(lambda place: values.get(place[1]) or place[0], said)


@lru_cache(maxsize=1)
def _compiled() -> list[tuple[str, str]]:
    return _patterns(frozenset(_phrases))


@lru_cache(maxsize=4)
def _patterns(phrases: frozenset[str]) -> list[tuple[str, str]]:
    """Each phrase as a pattern, the longest first, so that none hides another one."""
    return [(_pattern(phrase), phrase) for phrase in sorted(phrases, key=lambda one: -len(one))]


def _pattern(phrase: str) -> str:
    parts = _PLACE.split(phrase)
    return "".join(
        f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
