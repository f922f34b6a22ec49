"""Whatever is posted on a page has a call in REST, or a reason for none: the docs say which."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.urls import get_resolver

from api.schema import document

WRITING = {"post", "patch", "put", "delete"}
CALL = re.compile(r"(?:POST|PATCH|PUT|DELETE) [^\s`]+")


def pages() -> set[str]:
    """Every address of a page to which something can be posted, as the docs write it."""
    (resolver,) = (
        each for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "web"
    )
    return {
        re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        for pattern in resolver.url_patterns
        if "POST" in getattr(pattern.callback, "methods", ("POST",))
    }


def calls() -> set[str]:
    """Every call that writes, whatever its places are named."""
    return {
        bare(f"{method.upper()} {path.removeprefix('/api/v1/')}")
        for path, operations in document()["paths"].items()
        for method in set(operations) & WRITING
    }


def bare(call: str) -> str:
    return re.sub(r"\{\w+\}", "{}", call)


def told() -> Iterator[tuple[str, str]]:
    """By address, what the docs say of it."""
    text = Path(settings.BASE_DIR, "docs/pages-and-calls.md").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("| `"):
            addresses, said = line.strip("| ").split(" | ")
            for address in re.findall(r"`([^`]+)`", addresses):
                yield address, said


def test_every_press_on_a_page_has_its_call_or_a_reason():
    known, said = calls(), dict(told())
    assert len(said) == len(list(told())), "each address once"
    assert said.keys() <= pages(), "the docs tell of a page that is gone"
    lost = []
    for address in pages():
        named = CALL.findall(said.get(address, f"POST {address}/"))
        lost += [(address, call) for call in named if bare(call) not in known]
        if not named and len(said[address]) < 20:
            lost.append((address, "no reason"))
    assert not lost


def test_what_can_be_read_of_a_page_only_is_no_call():
    assert "portal" not in pages()
    assert "tickets/{key}/take" in pages()
