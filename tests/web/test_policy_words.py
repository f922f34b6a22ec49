"""Policies say everything by what it is called, and take it so; codes stand in their file only."""

import html
import re
from dataclasses import replace

import pytest
from django.utils import translation

from escalation.models import Policy, PolicyRevision
from escalation.policies import draft_policy
from tests.web.test_policies import ODD, STANDARD, fields_of, shown, shown_again
from tickets.models import Service
from web.drafts import Draft, as_arguments, draft_of
from web.forms.policies import VERBS
from web.policychanges import changes_between
from web.policynames import Names, all_names

CODE = re.compile(r"\b(?:[a-z]+_[a-z_]+|(?:duty|team|lead|on_call|person|calendar):\S+)")


@pytest.fixture
def named(stage) -> tuple[Draft, Names]:
    Service.objects.create(slug="pay-roll", name="Payroll, Lyon", owner_team=stage.teams["desk"])
    draft = replace(
        ODD,
        conditions=[
            {"fact": "service", "is": "pay-roll"},
            {"fact": "kind", "not": ["security", "request"]},
        ],
        steps=[
            {
                **ODD.steps[0],
                "conditions": [{"fact": "status", "is": "waiting_for_support"}],
                "actions": [
                    *ODD.steps[0]["actions"],
                    {"do": "page", "to": ["on_call", f"person:{stage.ines.username}"]},
                    {"do": "move", "to": "next_tier"},
                ],
            }
        ],
    )
    return draft, all_names(draft.conditions, draft.steps)


def test_the_form_offers_words_and_never_codes(stage, named):
    draft, names = named
    assert shown_again(draft, names) == draft
    page = shown(draft, names)
    said = re.findall(r"<option[^>]*>([^<]*)<|<p[^>]*>([^<]*)<|<label[^>]*>([^<]*)<", page)
    typed = re.findall(r'<input class="control[^>]* value="([^"]*)"', page)
    words = [text for row in said for text in row if text] + typed
    assert [text for text in words if CODE.search(text)] == []
    assert {"Payroll, Lyon", stage.ines.name} <= set(map(html.unescape, typed))
    assert "whoever is on call for Service Desk" in html.unescape(page)


def test_what_is_typed_by_name_is_kept_by_slug(stage, named, sign_in):
    client = sign_in(stage.mara)
    form = fields_of(client.get(f"{STANDARD}/draft").content.decode())
    form.setlist("c0-fact", ["service"])
    form.setlist("c0-value", ["payroll, lyon"])
    form.setlist("s0-a0-to", ["person"])
    form.setlist("s0-a0-who", [stage.ines.name])
    client.post(f"{STANDARD}/draft", {**dict(form.lists()), "act": "save"})
    kept = draft_of(PolicyRevision.objects.get(published_at=None))
    assert kept.conditions == [{"fact": "service", "is": "pay-roll"}]
    assert kept.steps[0]["actions"][0]["to"] == [f"person:{stage.ines.username}"]
    form.setlist("c0-value", ["Payrol"])
    form.setlist("s0-a0-to", [""])
    answer = client.post(f"{STANDARD}/draft", {**dict(form.lists()), "act": "save"})
    assert 'id="e-conditions-1">There is no “Payrol” here.' in answer.content.decode()
    assert 'id="e-steps-1-actions-1">Say whom.' in answer.content.decode()


def test_every_change_is_told_in_words(stage, named):
    policy = Policy.objects.select_related("current").get(slug="standard")
    draft, _names = named
    made = draft_policy(policy=policy, **as_arguments(draft))
    told = changes_between(policy.current, made)
    assert told[0] == (
        "It applies to: was every ticket, becomes tickets for which the service is Payroll, Lyon"
        " and the kind is not security incident or service request."
    )
    assert [line for line in told if CODE.search(line)] == []


def test_an_act_is_a_verb_in_german_too():
    with translation.override("de"):
        assert str(VERBS["page"]) == "alarmieren"
        assert str(VERBS["notify"]) == "benachrichtigen"
