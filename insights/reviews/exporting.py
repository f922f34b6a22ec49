"""A review as a document: Markdown, and PDF."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from insights.paper import Paper
from insights.reviews.drafting import moment
from insights.reviews.models import SECTIONS, Review
from roles.models import Person
from tickets.queries import hidden_keys, without

TITLES: Final = {
    "summary": "Summary",
    "story": "What happened",
    "impact": "Impact",
    "cause": "Cause",
    "went_well": "What went well",
    "went_badly": "What went badly",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A review as one reader may read it: a title, facts, sections, and actions."""

    title: str
    facts: Sequence[str]
    sections: Sequence[tuple[str, str]]
    actions: Sequence[str]


def document_of(review: Review, reader: Person) -> Document:
    """The review without the keys of cases that are closed to the reader. Two queries."""
    texts = {name: str(getattr(review, name)) for name in SECTIONS}
    actions = [
        f"{'[x]' if each.done_at else '[ ]'} {each.text} ({each.owner}, by {each.due_on:%Y-%m-%d})"
        for each in review.actions.select_related("owner")
    ]
    hidden = hidden_keys([*texts.values(), *actions], reader)
    return Document(
        title=f"Review of {review.ticket.key}: {review.ticket.subject}",
        facts=list(_facts(review)),
        sections=[
            (TITLES[name], without(text, hidden) or "Nothing was said.")
            for name, text in texts.items()
        ],
        actions=[without(line, hidden) for line in actions],
    )


def _facts(review: Review) -> Iterator[str]:
    yield f"Drafted {moment(review.drafted_at)} by {review.drafted_by or 'nobody'}"
    if review.signed_at is not None:
        yield f"Signed {moment(review.signed_at)} by {review.signed_by}"
    else:
        yield f"Not signed yet; due {moment(review.due_at)}"


def markdown_of(document: Document) -> str:
    """The document in Markdown."""
    parts = [f"# {document.title}", "\n".join(f"- {fact}" for fact in document.facts)]
    parts += [f"## {title}\n\n{text}" for title, text in document.sections]
    listed = "\n".join(f"- {line}" for line in document.actions) or "None was agreed."
    return "\n\n".join([*parts, f"## Actions\n\n{listed}"]) + "\n"


def pdf_of(document: Document) -> bytes:
    """The document as PDF, on A4."""
    paper = Paper(document.title)
    paper.say(document.title, size=16, bold=True)
    for fact in document.facts:
        paper.say(fact, size=9, muted=True)
    listed = "\n".join(document.actions) or "None was agreed."
    for title, text in (*document.sections, ("Actions", listed)):
        paper.head(title)
        paper.say(text)
    return paper.content()
