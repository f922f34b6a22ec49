"""A review as a document: Markdown, and PDF drawn without any network or markup of its own."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fpdf import FPDF

from insights.reviews.drafting import moment
from insights.reviews.models import SECTIONS, Review
from roles.models import Person
from tickets.queries import hidden_keys, without

# It tells of every table of every font that it cuts down.
logging.getLogger("fontTools").setLevel(logging.WARNING)

TITLES: Final = {
    "summary": "Summary",
    "story": "What happened",
    "impact": "Impact",
    "cause": "Cause",
    "went_well": "What went well",
    "went_badly": "What went badly",
}
FONTS: Final = Path("/usr/share/fonts/truetype/dejavu")
"""Where Debian keeps letters for every language; without them only Western ones are drawn."""


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
    pdf = FPDF(format="A4")
    font = _font(pdf)
    pdf.set_title(_drawable(document.title, font))
    pdf.set_auto_page_break(auto=True, margin=18)
    pdf.add_page()
    _write(pdf, font, document.title, size=16)
    for fact in document.facts:
        _write(pdf, font, fact, size=9)
    listed = "\n".join(document.actions) or "None was agreed."
    for title, text in (*document.sections, ("Actions", listed)):
        pdf.ln(3)
        _write(pdf, font, title, size=12)
        _write(pdf, font, text, size=10)
    return bytes(pdf.output())


def _write(pdf: FPDF, font: str, text: str, *, size: int) -> None:
    pdf.set_font(font, size=size)
    pdf.multi_cell(0, size * 0.5, _drawable(text, font), new_x="LMARGIN", new_y="NEXT")


def _font(pdf: FPDF) -> str:
    """The name of a font that has as many letters as this machine offers."""
    if (file := FONTS / "DejaVuSans.ttf").exists():
        pdf.add_font("DejaVu", fname=str(file))
        return "DejaVu"
    return "Helvetica"


def _drawable(text: str, font: str) -> str:
    """The text as the font can draw it."""
    return text if font != "Helvetica" else text.encode("cp1252", "replace").decode("cp1252")
