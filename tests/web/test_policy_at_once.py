"""Two people at one policy: nobody's draft is lost, nobody publishes what they have not read."""

import pytest

from escalation.models import Policy, PolicyRevision
from roles.models import DutyAssignment
from tests.web.test_policies import fields_of

STANDARD = "/policies/standard"


@pytest.fixture
def both(stage, sign_in):
    """Two who may edit policies, each with the draft's form in front of them."""
    duty = DutyAssignment.objects.get(person=stage.mara).duty
    DutyAssignment.objects.create(duty=duty, person=stage.ines)
    clients = sign_in(stage.mara), sign_in(stage.ines)
    forms = [fields_of(each.get(f"{STANDARD}/draft").content.decode()) for each in clients]
    return list(zip(clients, forms, strict=True))


def save(client, form, **more):
    return client.post(f"{STANDARD}/draft", {**dict(form.lists()), "act": "save", **more})


def kept():
    return PolicyRevision.objects.get(policy__slug="standard", published_at=None)


def test_a_draft_takes_no_others_place_before_that_was_said(both):
    (mara, hers), (ines, his) = both
    assert save(mara, hers, repeat_limit="3").status_code == 302
    held = save(ines, his, repeat_limit="5")
    page = held.content.decode()
    assert held.status_code == 409
    assert "Mara Lindt kept another draft meanwhile." in page
    assert "saved once more, it takes the place of the other" in page
    assert kept().repeat_limit == 3
    again = fields_of(page)
    assert again["repeat_limit"] == "5"
    assert save(ines, again).status_code == 302
    assert kept().repeat_limit == 5


def test_a_draft_that_was_published_meanwhile_is_told_of(both):
    (mara, hers), (ines, his) = both
    save(mara, hers, repeat_limit="3")
    mara.post(f"{STANDARD}/publish", {"read": kept().pk})
    held = save(ines, his)
    assert "This draft was published meanwhile." in held.content.decode()
    assert not PolicyRevision.objects.filter(published_at=None).exists()


def test_nobody_publishes_a_draft_that_they_have_not_read(both):
    (mara, hers), (ines, _) = both
    save(mara, hers, repeat_limit="3")
    read = ines.get(f"{STANDARD}/publish").context["read"]
    save(mara, fields_of(mara.get(f"{STANDARD}/draft").content.decode()), repeat_limit="9")
    answer = ines.post(f"{STANDARD}/publish", {"read": read}, follow=True)
    assert "Mara Lindt kept another draft meanwhile." in answer.content.decode()
    assert answer.redirect_chain == [(f"{STANDARD}/publish", 302)]
    assert Policy.objects.get(slug="standard").current.repeat_limit != 9
    ines.post(f"{STANDARD}/publish", {"read": answer.context["read"]})
    assert Policy.objects.get(slug="standard").current.repeat_limit == 9
