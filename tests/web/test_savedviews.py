"""Views of one's own."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from tickets.models import SavedView


def keep(client, name="Urgent", query="view=all&priority=1", team=""):
    return client.post(reverse("web:view-keep"), {"name": name, "query": query, "team": team})


def tabs(client) -> dict[str, str]:
    page = client.get("/?view=all").context["page"]
    return {str(tab.view.label): tab.count for tab in page.tabs if tab.saved}


def test_filters_are_kept_under_a_name_with_a_live_count(stage, sign_in):
    client = sign_in(stage.ines)
    response = keep(client)
    view = SavedView.objects.get()
    assert response.url == f"/?view=all&priority=1&saved={view.pk}"
    page = client.get(response.url).context["page"]
    assert page.saved == view
    assert [row.ticket.key for row in page.rows] == [stage.tickets["slow"].key]
    assert tabs(client) == {"Urgent": "1"}
    keep(client, name="urgent", query="view=all&q=payroll&after=xyz")
    assert SavedView.objects.get().query == "view=all&q=payroll", (
        "the same name is brought up to date"
    )


def test_a_view_is_renamed_shared_and_deleted(stage, sign_in):
    client, colleague = sign_in(stage.ines), sign_in(stage.omar)
    keep(client)
    view = SavedView.objects.get()
    assert tabs(colleague) == {}
    change = reverse("web:view-change", args=[view.pk])
    client.post(change, {"name": "For us", "team": "desk"})
    assert tabs(colleague) == {"For us": "1"}
    assert tabs(sign_in(stage.nora)) == {}, "another team"
    assert colleague.post(change, {"name": "Mine now"}).status_code == 302
    colleague.post(reverse("web:view-delete", args=[view.pk]))
    assert SavedView.objects.get().name == "For us", "whose it is decides"
    client.post(reverse("web:view-delete", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_a_view_shared_with_a_team_shows_each_member_what_each_may_see(stage, sign_in):
    keep(sign_in(stage.sam), query="view=all&q=invoices", team="soc")
    assert tabs(sign_in(stage.sam)) == {"Urgent": "1"}
    view = SavedView.objects.get()
    view.team = stage.teams["desk"]
    view.save()
    assert tabs(sign_in(stage.ines)) == {"Urgent": "0"}


@pytest.mark.parametrize(("name", "team"), [("", ""), ("x" * 41, ""), ("Fine", "soc")])
def test_a_nameless_view_or_a_foreign_team_is_refused(stage, sign_in, name, team):
    keep(sign_in(stage.ines), name=name, team=team)
    assert not SavedView.objects.exists()


def test_one_name_is_one_view(stage, sign_in):
    client = sign_in(stage.ines)
    keep(client)
    keep(client, name="Other")
    other = SavedView.objects.get(name="Other")
    client.post(reverse("web:view-change", args=[other.pk]), {"name": "URGENT"})
    assert {view.name for view in SavedView.objects.all()} == {"Urgent", "Other"}
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedView.objects.create(owner=stage.ines, name="other", query="")
