"""Tables of configuration as CSV files: written so that a spreadsheet is safe, read strictly."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from roles.refusals import Invalid

MAX_BYTES: Final = 1_000_000
MAX_ROWS: Final = 2000
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, with the number under which an editor shows where it begins."""

    number: int
    cells: Cells


def write_sheet(names: Sequence[str], rows: Iterable[Cells]) -> str:
    """A CSV text with a heading; cells that would be formulas begin with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_guarded(row.get(name, "")) for name in names])
    return text.getvalue()


def read_sheet(text: str, *, names: Sequence[str], key: Sequence[str]) -> list[Row]:
    """The rows of a CSV text with a heading, in commas or semicolons; blank lines are left out.

    Raises Invalid, with field `file`, for unknown, doubled or missing columns, for a row that is
    longer than the heading, and for more than 2,000 rows.
    """
    if "\0" in text:
        raise _bad("This is no CSV file: it has characters that no text has.")
    lines = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=_delimiter(text))
    try:
        found = [(lines.line_num, line) for line in lines if any(cell.strip() for cell in line)]
    except csv.Error as trouble:
        raise _bad(f"This is no CSV file: {trouble}.") from None
    if not found:
        raise _bad("The file is empty.")
    heading = [cell.strip().lower() for cell in found[0][1]]
    _check_heading(heading, names, key)
    if len(found) - 1 > MAX_ROWS:
        raise _bad(f"The file has more than {MAX_ROWS:,} rows: bring them in by parts.")
    return [_row(number, heading, line) for number, line in found[1:]]


def _row(number: int, heading: Sequence[str], line: Sequence[str]) -> Row:
    if len(line) > len(heading):
        raise _bad(f"Line {number} has more cells than the heading.")
    padded = [*line, *[""] * (len(heading) - len(line))]
    cells = {name: _bare(cell) for name, cell in zip(heading, padded, strict=True)}
    return Row(number, cells)


def _check_heading(heading: Sequence[str], names: Sequence[str], key: Sequence[str]) -> None:
    known = ", ".join(names)
    for name in heading:
        if name not in names:
            raise _bad(f"The column “{name}” is not known here; there are {known}.")
    if doubled := {name for name in heading if heading.count(name) > 1}:
        raise _bad(f"The column “{doubled.pop()}” stands there twice.")
    if missing := [name for name in key if name not in heading]:
        raise _bad(f"The column “{missing[0]}” is missing: rows are known by it.")


def _delimiter(text: str) -> str:
    heading = text.partition("\n")[0]
    return ";" if heading.count(";") > heading.count(",") else ","


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def _bare(cell: str) -> str:
    """The cell without the apostrophe with which we, or a spreadsheet, guarded it."""
    cell = cell.strip().replace("\r\n", "\n")
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULAS) else cell


def _bad(problem: str) -> Invalid:
    return Invalid("bad_sheet", problem, {"file": problem})
