"""What Ctrl-K finds."""

from tests.web.test_queue import queries_of


def lines(client, query: str) -> list[str]:
    response = client.get(f"/palette?{query}")
    assert response.status_code == 200
    sections = response.context["sections"] if response.context else []
    return [f"{item.mark} {item.label}".strip() for part in sections for item in part.items]


def test_tickets_are_found_by_words_and_key(stage, sign_in):
    client, slow = sign_in(stage.ines), stage.tickets["slow"]
    assert f"{slow.key} {slow.subject}" in lines(client, "q=checkout")
    assert f"{slow.key} {slow.subject}" in lines(client, f"q={slow.key.lower()}")
    solved = stage.tickets["badge"]
    assert f"{solved.key} {solved.subject}" in lines(client, "q=badge"), "what is over, too"


def test_acts_are_those_that_this_person_may_do_here(stage, sign_in):
    mail = stage.tickets["mail"].key
    found = lines(sign_in(stage.ines), f"ticket={mail}")
    assert "T Take" in found
    assert "E Escalate" in lines(sign_in(stage.ines), f"ticket={mail}&q=esc")
    assert "T Take" not in lines(sign_in(stage.mara), f"ticket={mail}&q=resolve")
    assert "T Take" not in lines(sign_in(stage.bo), f"ticket={mail}")


def test_nothing_is_found_that_may_not_be_seen(stage, sign_in):
    case = stage.tickets["case"].key
    for query in (f"q={case}", "q=invoices", f"recent={case}", f"ticket={case}"):
        assert not any(case in line for line in lines(sign_in(stage.ines), query)), query
        assert case not in sign_in(stage.ines).get(f"/palette?{query}").content.decode()
    assert any(case in line for line in lines(sign_in(stage.sam), f"recent={case}"))


def test_places_views_and_teams_are_found(stage, sign_in):
    client = sign_in(stage.ines)
    assert "G O On call" in lines(client, "q=on")
    assert "Platform Engineering" in lines(client, "q=platform")
    assert not any("On call" in line for line in lines(sign_in(stage.ada), "q=on"))
    assert lines(client, "q=%00") == lines(client, "")
    assert lines(client, "q=zzzz") == []


def test_whoever_only_asks_finds_requests_and_places_of_their_own(stage, sign_in):
    client, slow = sign_in(stage.ada), stage.tickets["slow"].key
    found = client.get("/palette?q=checkout").context["sections"]
    assert [item.address for part in found for item in part.items] == [f"/requests/{slow}"]
    assert "C Ask for help" in lines(client, "q=help")
    assert "G R My requests" in lines(client, "q=my")
    assert "New ticket" not in " ".join(lines(client, ""))


def test_the_palette_costs_few_queries(stage, sign_in):
    mail = stage.tickets["mail"].key
    many = queries_of(sign_in(stage.ines), f"/palette?q=mail&ticket={mail}")
    assert len(many) <= 18, "\n".join(many)
