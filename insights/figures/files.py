"""Tables as files: CSV for programs, XLSX for people with a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Final

import xlsxwriter

from insights.figures.tables import Cell, Table

CSV: Final = "csv"
XLSX: Final = "xlsx"
TYPES: Final = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
TITLE_MAX: Final = 31
FORBIDDEN: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def written(tables: Sequence[Table], form: str) -> bytes:
    """The tables as one file of that form, `csv` or `xlsx`."""
    return _xlsx(tables) if form == XLSX else _csv(tables)


def _csv(tables: Sequence[Table]) -> bytes:
    """One table after the other, each with its title in the first column of every line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for table in tables:
        writer.writerow(["", *table.head])
        for row in table.rows:
            writer.writerow([table.title, *(_plain(cell) for cell in row)])
    return ("\ufeff" + text.getvalue()).encode()


def _plain(cell: Cell) -> str | int | float:
    """A cell that no spreadsheet takes for a formula, whoever wrote the words in it."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(FORMULAS):
        return f"'{cell}"
    return cell


def _xlsx(tables: Sequence[Table]) -> bytes:
    """A sheet for each table; words are never read as formulas or addresses."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        taken: set[str] = set()
        for table in tables:
            sheet = book.add_worksheet(_title(table.title, taken))
            sheet.freeze_panes(1, 1)
            for place, name in enumerate(table.head):
                sheet.write_string(0, place, name, bold)
                sheet.set_column(place, place, 30 if place == 0 else max(12, len(name) + 2))
            for line, row in enumerate(table.rows, start=1):
                for place, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(line, place, cell, day)
                    elif isinstance(cell, str):
                        sheet.write_string(line, place, cell)
                    elif cell is not None:
                        sheet.write_number(line, place, cell)
    return target.getvalue()


def _title(words: str, taken: set[str]) -> str:
    """A sheet's name: short, without what a spreadsheet forbids, and its own."""
    name = words.translate(FORBIDDEN).strip() or "-"
    figure, comma, split = name.rpartition(", ")
    if len(name) > TITLE_MAX and comma:
        # By what it is split tells such sheets apart: the figure's name is cut, not that.
        name = f"{figure[: max(1, TITLE_MAX - len(split) - 3)].rstrip()}… {split}"
    name = name[:TITLE_MAX]
    number = 2
    while name.lower() in taken:
        end = f" {number}"
        name, number = name[: TITLE_MAX - len(end)] + end, number + 1
    taken.add(name.lower())
    return name
