"""Documents are drawn with whatever letters the machine has, and say what they had to change."""

from io import BytesIO
from pathlib import Path

from pypdf import PdfReader

from insights import paper
from insights.paper import Paper

NOTE = "no font for some letters"


def words(title: str, *said: str) -> str:
    drawn = Paper(title)
    drawn.head(title)
    for each in said:
        drawn.say(each)
    drawn.table(["Team", "Late"], [[f"Team {n}", str(n)] for n in range(60)], shares=[0.5] * 60)
    pages = PdfReader(BytesIO(drawn.content())).pages
    assert len(pages) >= 2
    return "\n".join(page.extract_text() for page in pages)


def test_a_machine_without_fonts_draws_other_letters_by_latin_ones_and_says_so(monkeypatch):
    monkeypatch.setattr(paper, "PLACES", (Path("/nowhere"),))
    told = words("Łódź", "Größe, café", "Київ")
    for expected in ("Lódz", "Größe, café", "Kiiv", NOTE, "Team 59"):
        assert expected in told
    assert NOTE not in words("Größe")


def test_with_a_font_every_letter_of_it_is_drawn():
    told = words("Łódź", "Київ 日")
    assert ("Łódź" in told and "Київ Ri" in told) == (paper._folder() is not None)
    assert NOTE in told, "one letter is in no font of ours"
