"""Says sentences of the floors below, which are made and stored in English, in other languages.

A sentence is known by its pattern: the catalogue has it with a number in the place of each value.
What fits no pattern stands as it is, so that nothing is lost.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from django.utils.translation import get_language, pgettext
from django.utils.translation.trans_real import translation

from web.wording import CONTEXT as LABEL

CONTEXT: Final = "sentence"
LEAST_LETTERS: Final = 4
"""A pattern with fewer letters of its own would fit anything."""
_VALUE: Final = re.compile(r"\{(\d+)\}")
_SEPARATOR: Final = "\x04"
"""Stands between context and words in a catalogue (gettext's own format)."""


def retold(sentence: object) -> str:
    """The sentence in the reader's language."""
    text = str(sentence)
    language = get_language() or "en"
    return text if language.startswith("en") else _retold(text, language)


@lru_cache(maxsize=4096)
def _retold(text: str, language: str) -> str:
    said = _by_label(text, language) or pgettext(CONTEXT, text)
    if said != text:
        return said
    for pattern, form in _patterns(language):
        found = pattern.fullmatch(text)
        if found is not None:
            return _filled(form, [_value(value, language) for value in found.groups()])
    clause = text.removesuffix(".")  # some clauses are made sentences by their full stop only
    return f"{_retold(clause, language)}." if clause != text else text


def _filled(form: str, values: Sequence[str]) -> str:
    return _VALUE.sub(lambda place: values[int(place[1]) - 1], form)


def _value(value: str, language: str) -> str:
    """A value within a sentence: a clause of ours, or a name, which stands as it is.

    Names begin with a capital, clauses do not.
    """
    is_clause = value[:1].islower() or value[:1].isdigit() or value[:1] == "“"
    return _retold(value, language) if is_clause else value


def _by_label(text: str, language: str) -> str:
    return _labels(language).get(text.lower(), "")


@lru_cache(maxsize=8)
def _labels(language: str) -> dict[str, str]:
    """The labels as sentences hold them: without their capital."""
    return {key.lower(): said for key, said in _entries(language, LABEL)}


@lru_cache(maxsize=8)
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The patterns that have values in them, those that say most first."""
    found = [(key, said) for key, said in _entries(language, CONTEXT) if _VALUE.search(key)]
    found.sort(key=lambda pair: -len(_VALUE.sub("", pair[0])))
    return [(_compiled(key), said) for key, said in found]


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = _VALUE.split(pattern)[::2]  # every second one is the number of a place
    return re.compile("(.+?)".join(re.escape(part) for part in parts), re.DOTALL)


def _entries(language: str, context: str) -> list[tuple[str, str]]:
    """What the catalogue knows under a context."""
    begins = f"{context}{_SEPARATOR}"
    catalogue = translation(language)._catalog  # type: ignore[attr-defined]
    return [
        (key.removeprefix(begins), said)
        for key, said in catalogue.items()
        if isinstance(key, str) and key.startswith(begins) and said
    ]
