"""The German catalogue says everything that is marked, and says it with the same names."""

import re
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.conf import settings

from config.catalogues import marks
from config.sentences import unmarked

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?\w+[^>]*>")


def _german() -> Catalog:
    source = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES" / "django.po"
    with source.open("rb") as text:
        return read_po(text, locale="de")


def _forms(words: str | Sequence[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


def test_every_message_is_said_in_german():
    catalogue = _german()
    messages = [message for message in catalogue if message.id]
    assert len(messages) > 1000
    assert [m.id for m in messages if not all(_forms(m.string))] == []
    assert [m.id for m in messages if m.fuzzy] == []
    assert list(catalogue.obsolete) == []
    plurals = [m for m in messages if m.pluralizable]
    assert [m.id for m in plurals if len(_forms(m.string)) != catalogue.num_plurals] == []


def test_the_catalogue_knows_every_mark_label_and_sentence():
    catalogue = _german()
    marked = {(message, context) for _, message, context in marks()}
    first = [(one if isinstance(one, str) else one[0], context) for one, context in marked]
    asked = [*first, *unmarked()]
    assert [one for one in asked if catalogue.get(*one) is None] == []


def test_a_german_sentence_keeps_the_places_for_names_and_numbers():
    for message in _german():
        if not message.id:
            continue
        for english, german in zip(_forms(message.id), _forms(message.string), strict=True):
            kept = sorted(PLACEHOLDER.findall(german))
            assert kept == sorted(PLACEHOLDER.findall(english)), german
