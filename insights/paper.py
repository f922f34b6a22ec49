"""Paper: A4 as PDF, drawn without any network, with letters of whatever font the machine has."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anyascii import anyascii
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from fpdf import FPDF

# It tells of every table of every font that it cuts down.
logging.getLogger("fontTools").setLevel(logging.WARNING)

PLACES: Final = (
    Path("/usr/share/fonts/truetype/dejavu"),  # Debian and Ubuntu
    Path("/usr/share/fonts/dejavu-sans-fonts"),  # Fedora
    Path("/usr/share/fonts/TTF"),  # Arch
    Path("/usr/share/fonts/dejavu"),  # Alpine
)
PLAIN: Final = "Helvetica"
"""Every reader of PDF has it, but for Western letters only."""
MARGIN: Final = 14.0
LINE: Final = 6.0
INK: Final = (27, 28, 31)
MUTED: Final = (90, 93, 100)
RULE: Final = (208, 208, 202)
BAR: Final = (61, 85, 204)
WIDE: Final = 182.0
"""The width between the margins, in millimetres like all lengths here."""
MOST_FOR_NUMBERS: Final = 0.7
"""The part of a table's width that its first column always leaves to the others."""


class Paper:
    """One document, written from above; `content` ends it."""

    def __init__(self, title: str) -> None:
        self._pdf = _sheets()(format="A4")
        _add_fonts(self._pdf)
        self._font = _name_of_font()
        self._is_short_of_letters = False
        self._pdf.set_title(self._drawable(title))
        self._pdf.set_margins(MARGIN, MARGIN)
        self._pdf.set_auto_page_break(auto=True, margin=18)
        self._pdf.add_page()

    def say(self, text: str, *, size: int = 10, bold: bool = False, muted: bool = False) -> None:
        """Write a paragraph over the whole width."""
        self._set(size, bold=bold, muted=muted)
        written = self._drawable(text)
        self._pdf.multi_cell(0, size * 0.5, written, new_x="LMARGIN", new_y="NEXT")

    def head(self, text: str, *, size: int = 12, room: float = 30.0) -> None:
        """Write a heading, on a new page where below it there would be less than `room`."""
        if self._pdf.will_page_break(room):
            self._pdf.add_page()
        self._pdf.ln(3)
        self.say(text, size=size, bold=True)

    def tiles(self, tiles: Sequence[tuple[str, str, str]], *, across: int = 3) -> None:
        """Set figures side by side: a name, a large value, and words below."""
        width = WIDE / across
        for start in range(0, len(tiles), across):
            if self._pdf.will_page_break(20):
                self._pdf.add_page()
            top = self._pdf.get_y() + 3
            for place, tile in enumerate(tiles[start : start + across]):
                self._tile(tile, MARGIN + place * width, top, width - 4)
            self._pdf.set_xy(MARGIN, top + 18)

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        shares: Sequence[float] = (),
        width: float = 26.0,
    ) -> None:
        """Write a table, names left and numbers right; `shares`, 0 to 1, are drawn as bars.

        Every column but the first is `width` wide, or less where they are many.
        """
        bar = 46.0 if shares else 0.0
        number = min(width, (WIDE - bar) * MOST_FOR_NUMBERS / max(1, len(head) - 1))
        first = WIDE - bar - number * (len(head) - 1)
        self._head_row(head, (first, bar, number))
        for place, row in enumerate(rows):
            if self._pdf.will_page_break(LINE):
                self._pdf.add_page()
                self._head_row(head, (first, bar, number))
            share = shares[place] if shares else 0.0
            self._row(row, (first, bar, number), share=share)

    def content(self) -> bytes:
        """The document as a file; what had to be put in other letters is said at its end."""
        if self._is_short_of_letters:
            self._pdf.ln(4)
            words = _("This machine has no font for some letters; they stand in Latin ones.")
            self.say(words, size=8, muted=True)
        return bytes(self._pdf.output())

    def _tile(self, tile: tuple[str, str, str], left: float, top: float, width: float) -> None:
        name, value, below = tile
        parts = ((name, 8, False, 4.5, 1), (value, 15, True, 7.5, 1), (below, 7, False, 3.2, 2))
        for text, size, is_bold, height, most in parts:
            self._set(size, bold=is_bold, muted=not is_bold)
            for line in self._lines(text, width, most):
                self._pdf.set_xy(left, top)
                self._pdf.cell(width, height, line)
                top += height

    def _row(
        self,
        cells: Sequence[str],
        widths: tuple[float, float, float],
        *,
        share: float = 0.0,
    ) -> None:
        first, bar, number = widths
        self._set(9, bold=False, muted=False)
        pdf, top = self._pdf, self._pdf.get_y()
        pdf.cell(first, LINE, self._fitting(cells[0], first - 2))
        if share > 0:
            pdf.set_fill_color(*BAR)
            pdf.rect(MARGIN + first, top + 1.4, max(0.4, share * (bar - 4)), LINE - 2.8, "F")
        pdf.set_x(MARGIN + first + bar)
        for cell in cells[1:]:
            pdf.cell(number, LINE, self._fitting(cell, number - 1), align="R")
        self._rule(top + LINE)

    def _head_row(self, cells: Sequence[str], widths: tuple[float, float, float]) -> None:
        """Write the names of the columns, each in three lines at most, standing on the rule."""
        first, bar, number = widths
        self._set(8, bold=True, muted=True)
        wide = [first - 2, *[number - 1] * (len(cells) - 1)]
        named = [self._lines(cell, room, 3) for cell, room in zip(cells, wide, strict=True)]
        height = 3.6 * max(map(len, named)) + 1.4
        top, left = self._pdf.get_y(), MARGIN
        for place, lines in enumerate(named):
            for number_of, line in enumerate(reversed(lines), start=1):
                self._pdf.set_xy(left, top + height - 3.6 * number_of - 0.7)
                self._pdf.cell(number if place else first, 3.6, line, align="R" if place else "L")
            left += number if place else first + bar
        self._rule(top + height)

    def _rule(self, at: float) -> None:
        self._pdf.set_draw_color(*RULE)
        self._pdf.line(MARGIN, at, MARGIN + WIDE, at)
        self._pdf.set_xy(MARGIN, at)

    def _set(self, size: int, *, bold: bool, muted: bool) -> None:
        self._pdf.set_font(self._font, style="B" if bold else "", size=size)
        self._pdf.set_text_color(*(MUTED if muted else INK))

    def _lines(self, text: str, width: float, most: int) -> list[str]:
        """The text on so many lines at most, broken between words; the last one is cut."""
        words, lines = text.split(), [""]
        while words:
            tried = f"{lines[-1]} {words[0]}".strip()
            fits = self._pdf.get_string_width(self._drawable(tried)) <= width
            if not fits and lines[-1] and len(lines) < most:
                lines.append("")
            else:
                lines[-1] = tried
                words.pop(0)
        return [self._fitting(line, width) for line in lines]

    def _fitting(self, text: str, width: float) -> str:
        """The text as the font can draw it, cut to what fits."""
        written = self._drawable(text)
        if self._pdf.get_string_width(written) <= width:
            return written
        while written and self._pdf.get_string_width(f"{written}...") > width:
            written = written[:-1]
        return f"{written}..."

    def _drawable(self, text: str) -> str:
        """The text as the font can draw it: other letters by their Latin ones."""
        known = _letters(self._font)
        written = "".join(each if _is_drawn(each, known) else anyascii(each) for each in text)
        self._is_short_of_letters |= written != text
        return written


@lru_cache(maxsize=1)
def _sheets() -> "type[FPDF]":
    """The kind of document whose pages carry their number.

    Made when first drawn upon: the library takes half a second and 60 MB that most processes
    would never use.
    """
    from fpdf import FPDF  # noqa: PLC0415 (heavy)

    class Sheets(FPDF):
        def footer(self) -> None:
            """Write the number of the page below it."""
            self.set_y(-13)
            self.set_font(_name_of_font(), size=7)
            self.set_text_color(*MUTED)
            self.cell(0, 6, f"{self.page_no()} / {{nb}}", align="R")

    return Sheets


def _is_drawn(letter: str, known: frozenset[int]) -> bool:
    if known:
        return ord(letter) in known or letter in "\n\t"
    return bool(letter.encode("cp1252", "ignore"))


def _name_of_font() -> str:
    """A font that has as many letters as this machine offers."""
    return PLAIN if _folder() is None else "DejaVu"


def _add_fonts(pdf: "FPDF") -> None:
    if folder := _folder():
        pdf.add_font("DejaVu", fname=folder / "DejaVuSans.ttf")
        pdf.add_font("DejaVu", style="B", fname=folder / "DejaVuSans-Bold.ttf")


def _folder() -> Path | None:
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
    return next((each for each in PLACES if all((each / name).exists() for name in names)), None)


@lru_cache(maxsize=2)
def _letters(font: str) -> frozenset[int]:
    """The letters that the font has, by their numbers; empty for the plain one."""
    if font == PLAIN:
        return frozenset()
    pdf = _sheets()()
    _add_fonts(pdf)
    return frozenset(pdf.fonts["dejavu"].cmap)  # type: ignore[union-attr]
