"""What live pages share for a moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from roles.models import Person
from web import shelf as held
from web.shelf import Shelf, shelf


def counted():
    made = []

    def make() -> int:
        made.append(1)
        return len(made)

    return made, make


def test_nothing_is_shared_by_a_process_that_hears_no_hints():
    shelf, (made, make) = Shelf(), counted()
    assert [shelf.take("a", make), shelf.take("a", make)] == [1, 2]
    assert len(made) == 2


def test_what_was_made_after_the_last_hint_is_shared_until_the_next():
    shelf, (_, make) = Shelf(), counted()
    shelf.note_hearing(True)
    shelf.note_hint()
    assert [shelf.take("a", make), shelf.take("a", make)] == [1, 1]
    assert shelf.take("b", make) == 2
    shelf.note_hint()
    assert shelf.take("a", make) == 3
    shelf.note_hearing(False)
    assert shelf.take("a", make) == 4


def test_of_many_who_ask_at_once_one_makes_it():
    shelf, (made, make) = Shelf(), counted()
    shelf.note_hearing(True)
    gate = Barrier(8)

    def ask() -> int:
        gate.wait()
        return shelf.take("a", make)

    with ThreadPoolExecutor(8) as pool:
        answers = [each.result() for each in [pool.submit(ask) for _ in range(8)]]
    assert answers == [1] * 8
    assert len(made) == 1


def test_live_pages_share_rows_but_nobody_gets_what_is_anothers(stage, sign_in):
    """With the sharing on, each still sees what was his or hers to see."""

    headers = {"HX-Request": "true", "HX-Target": "queue-live", "X-Live": "1"}
    shelf.note_hearing(True)
    shelf.note_hint()
    try:
        for query in ("view=all", "view=mine", "view=team", "view=watched", "q=invoices"):
            for name in ("sam", "ines", "omar", "nora", "mara"):
                client = sign_in(stage.people[name])
                fresh = client.get(f"/?{query}").context["page"]
                live = client.get(f"/?{query}", headers=headers).context["page"]
                assert [row.ticket.key for row in live.rows] == [
                    row.ticket.key for row in fresh.rows
                ], (query, name)
                assert [tab.count for tab in live.tabs] == [tab.count for tab in fresh.tabs]
    finally:
        shelf.note_hearing(False)


def test_a_live_page_is_known_for_moments_and_only_to_look(stage, sign_in, monkeypatch):
    headers = {"HX-Request": "true", "HX-Target": "queue-live", "X-Live": "1"}
    client, mail = sign_in(stage.ines), stage.tickets["mail"].key
    shelf.note_hearing(True)
    try:
        assert client.get("/?view=all", headers=headers).status_code == 200
        Person.objects.filter(pk=stage.ines.pk).update(is_active=False)
        acted = client.post(f"/tickets/{mail}/take", headers=headers)
        assert acted.headers["HX-Refresh"] == "true"
        monkeypatch.setattr(held, "HELD_S", 0.0)
        assert client.get("/?view=all", headers=headers).headers["HX-Refresh"] == "true"
    finally:
        shelf.note_hearing(False)
