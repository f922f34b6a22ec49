"""Policies in the browser: read in prose, edited as a draft, published, moved to, remembered."""

import html
import re

import pytest
from django.db import connection
from django.http import QueryDict
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from config.example.beside import BESIDE
from config.example.policies import POLICIES
from escalation.models import Policy, PolicyRevision, PolicyStep, Run
from escalation.policies import draft_policy, filled, publish_policy
from roles.models import Duty, DutyAssignment, Person
from tests.web.stage import STEPS
from tickets.models import Ticket
from web.drafts import Draft, as_arguments, draft_of, read_draft, rearranged
from web.forms.policies import DraftForm, choices
from web.policynames import NAMELESS, Names, all_names
from web.prose import lines_of, plain, sentence_of

STANDARD = "/policies/standard"
SHIPPED = {**POLICIES, **BESIDE}


@pytest.fixture
def policy(stage) -> Policy:
    return Policy.objects.select_related("current").get(slug="standard")


@pytest.fixture
def admin(stage) -> Person:
    person = Person.objects.create_user("root", "root@example.com", name="Root")
    duty = Duty.objects.create(slug="administrator", name="Administrator")
    DutyAssignment.objects.create(duty=duty, person=person)
    return person


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    body = re.sub(r"<(datalist|option|script)\b.*?</\1>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as taken:
        assert client.get(url).status_code == 200
    return len(taken)


ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


def fields_of(page: str) -> QueryDict:
    """What a browser would send of the draft's form, script or not."""
    form = page[page.index('<form id="draft"') :]
    data = QueryDict(mutable=True)
    for tag in re.findall(r"<input [^>]+>", form):
        found = {name: html.unescape(value) for name, value in ATTRIBUTE.findall(tag)}
        if "name" not in found or found["name"] == "csrfmiddlewaretoken":
            continue
        if found.get("type") != "checkbox" or " checked" in tag:
            data.appendlist(found["name"], found.get("value", ""))
    for name, inside in re.findall(r'<select [^>]*?name="([^"]+)".*?>(.*?)</select>', form, re.S):
        options = re.findall(r'<option value="([^"]*)"( selected)?', inside)
        chosen = [value for value, selected in options if selected]
        data.appendlist(name, (chosen or [options[0][0]])[0])
    return data


# ---- The list and one policy ---------------------------------------------------------------------


def test_the_list_tells_order_state_and_running_climbs(stage, policy, sign_in):
    told = text(sign_in(stage.ines), "/policies")
    climbing = Run.objects.filter(state="active", ticket__restricted=False).count()
    assert climbing
    assert re.search(rf"1 Standard every ticket in force, r1 main {climbing}\b", told)


def test_climbs_of_restricted_tickets_count_for_the_cleared_only(stage, policy, sign_in):
    def counted(person: Person) -> int:
        return sign_in(person).get("/policies").context["rows"][0][2]

    assert counted(stage.sam) == counted(stage.ines) + 1
    assert counted(stage.mara) == counted(stage.ines)


def test_a_policy_reads_as_prose_along_a_ladder(stage, sign_in):
    told = text(sign_in(stage.ines), STANDARD)
    first = "When nobody has acknowledged it for 15 min: page whoever is on call for the ticket"
    assert first in told
    assert "When the resolution clock reaches 75 %: move it to the next tier" in told
    assert "page the incident manager" in told
    assert told.index("75 %") < told.index("100 %")
    assert "Edit" not in told


def test_every_shipped_step_can_be_said_in_words(db):
    for policy in SHIPPED.values():
        for step in policy.steps:
            sentence = sentence_of(step)
            assert "…" not in sentence, sentence
            assert "nothing yet" not in sentence
            assert "_" not in sentence.replace("call_step", ""), sentence


@pytest.mark.parametrize(
    "address", ["/policies", STANDARD, f"{STANDARD}/history", f"{STANDARD}/draft"]
)
def test_whoever_only_asks_for_help_finds_nothing(stage, sign_in, address):
    assert sign_in(stage.ada).get(address).status_code == 404


@pytest.mark.parametrize("part", ["draft", "publish", "simulate"])
def test_only_those_whom_the_table_allows_edit_publish_or_simulate(stage, sign_in, admin, part):
    address = f"{STANDARD}/{part}"
    for reader in (stage.ines, stage.nora):
        assert sign_in(reader).get(address).status_code == 403
        assert sign_in(reader).post(address).status_code == 403
    assert sign_in(stage.ines).post(f"{STANDARD}/move", {"reason": "x"}).status_code == 403
    for manager in (stage.mara, admin):
        assert sign_in(manager).get(address).status_code in (200, 302)


def test_the_pages_cost_the_same_whatever_there_is(stage, policy, sign_in):
    addresses = ("/policies", STANDARD, f"{STANDARD}/history", f"{STANDARD}/draft")
    client = sign_in(stage.mara)
    few = [queries(client, address) for address in addresses]
    for number in range(4):
        more = Policy.objects.create(slug=f"more-{number}", name="More", position=9, mode="beside")
        draft_policy(policy=more, conditions=[], steps=STEPS)
        publish_policy(policy=more, actor=stage.mara)
        draft_policy(policy=policy, conditions=[], steps=[*STEPS, *more_steps(number + 1)])
        publish_policy(policy=policy, actor=stage.mara)
    many = [queries(client, address) for address in addresses]
    # Once there are two revisions, their steps are compared.
    assert [late - soon for soon, late in zip(few, many, strict=True)] == [0, 0, 1, 0]
    assert max(many) <= 20


def more_steps(count: int) -> list[dict]:
    rung = {"name": "More", "trigger": "since_start", "actions": [{"do": "propose_major"}]}
    return [{**rung, "delay_s": 60 * (number + 1)} for number in range(count)]


# ---- The draft -----------------------------------------------------------------------------------


def shown(draft: Draft, names: Names = NAMELESS) -> str:
    context = {
        "form": DraftForm(draft, {}, names),
        "choices": choices(names),
        "policy": Policy(slug="any"),
        "request": RequestFactory().get("/policies/any/draft"),
    }
    return render_to_string("web/policies/_draft.html", context)


def shown_again(draft: Draft, names: Names = NAMELESS) -> Draft:
    """The draft after a form has shown it and sent it back as it stood."""
    return read_draft(fields_of(shown(draft, names)), names)


def test_saving_a_draft_unchanged_keeps_its_every_word(stage, policy, sign_in):
    client = sign_in(stage.mara)
    form = fields_of(client.get(f"{STANDARD}/draft").content.decode())
    answer = client.post(f"{STANDARD}/draft", {**dict(form.lists()), "act": "save"})
    assert (answer.status_code, answer.url) == (302, STANDARD)
    kept = PolicyRevision.objects.get(policy=policy, published_at=None)
    assert draft_of(kept) == draft_of(policy.current)
    assert "A draft waits" not in text(client, STANDARD)


@pytest.mark.parametrize("slug", sorted(SHIPPED))
def test_every_shipped_policy_goes_through_the_form_unchanged(db, slug):
    shipped = SHIPPED[slug]
    policy = Policy.objects.create(slug="any", name="Any", position=1)
    revision = PolicyRevision.objects.create(
        policy=policy, number=1, conditions=list(shipped.conditions), created_at="2026-01-01T00:00Z"
    )

    for place, step in enumerate(shipped.steps, start=1):
        PolicyStep.objects.create(revision=revision, position=place, **filled(step))
    draft = draft_of(revision)
    assert shown_again(draft) == draft


ODD = Draft(
    conditions=[
        {"fact": "priority", "is": [1]},
        {"fact": "service", "is": None},
        {"fact": "vip", "not": True},
        {"fact": "tags", "is": ["a b", "c"]},
    ],
    steps=[
        {
            "name": 'Say "now" <b>&amp;',
            "trigger": "repeated",
            "count": 3,
            "window_s": 5400,
            "same": "asset",
            "basis": "wall",
            "conditions": [{"fact": "acknowledged", "is": False}],
            "gates": {
                "weekdays": [0, 6],
                "priorities": [1, 5],
                "from": "22:00",
                "until": "06:00",
                "zone": "responder",
                "otherwise": "skip",
                "hold_for_shift": True,
            },
            "actions": [
                {"do": "notify", "to": ["lead", "duty:incident-manager", "on_call:desk"]},
                {"do": "raise_priority", "to": 1},
                {"do": "open_problem"},
                {"do": "move", "to": "team:desk"},
            ],
        },
    ],
    repeat_limit=4,
    repeat_after_s=61,
    stop_on=["taken", "moved"],
)


@pytest.mark.parametrize("language", ["en", "de"])
def test_whatever_a_draft_can_say_goes_through_the_form_unchanged(stage, language):
    with override(language):
        assert shown_again(ODD) == ODD
        assert shown_again(ODD, all_names(ODD.conditions, ODD.steps)) == ODD
        assert ODD.problems == {}


def test_steps_are_added_moved_and_removed_without_script(stage, policy, sign_in):
    client = sign_in(stage.mara)
    form = fields_of(client.get(f"{STANDARD}/draft").content.decode())
    names = [step["name"] for step in draft_of(policy.current).steps]
    for act, expected in (
        ("add", [*names, ""]),
        ("down-0", [names[1], names[0], names[2]]),
        ("up-2", [names[0], names[2], names[1]]),
        ("remove-1", [names[0], names[2]]),
        ("up-0", names),
        ("remove-9", names),
        ("dance", names),
    ):
        answer = client.post(f"{STANDARD}/draft", {**dict(form.lists()), "act": act})
        assert answer.status_code == 200
        shown = answer.context["form"].draft.steps
        assert [step.get("name", "") for step in shown] == expected, act
    assert not PolicyRevision.objects.filter(policy=policy, published_at=None).exists()
    page = client.get(f"{STANDARD}/draft").content.decode()
    for act in ("add", "up-1", "down-0", "remove-2"):
        assert f'value="{act}"' in page
    form_tag = page[page.index('<form id="draft"') :].partition(">")[0]
    assert "hx-vals" not in form_tag, "it would be sent in place of a button's own"


def test_mistakes_stand_at_their_field_and_what_was_typed_stays(stage, sign_in):
    client = sign_in(stage.mara)
    form = fields_of(client.get(f"{STANDARD}/draft").content.decode())
    form["s0-name"], form["s0-delay_s"], form["s1-percent"] = "", "soon", "-1"
    form["s2-a0-to"] = "duty:nobody"
    answer = client.post(f"{STANDARD}/draft", {**dict(form.lists()), "act": "save"})
    assert answer.status_code == 422
    body = answer.content.decode()
    assert 'id="e-steps-1-name">A step needs a name' in body
    assert 'id="e-steps-1-delay_s">A whole number' in body
    assert 'id="e-steps-2-percent">A whole number' in body
    assert 'value="soon"' in body
    assert "3 mistakes to mend" in body
    form["s0-name"], form["s0-delay_s"], form["s1-percent"] = "Page", "15", "75"
    answer = client.post(f"{STANDARD}/draft", {**dict(form.lists()), "act": "save"})
    assert 'id="e-steps-3-actions-1">There is no duty nobody.' in answer.content.decode()
    assert not PolicyRevision.objects.filter(published_at=None).exists()


def test_as_one_types_only_the_mistakes_and_the_sentences_come_back(stage, sign_in):
    client = sign_in(stage.mara)
    form = fields_of(client.get(f"{STANDARD}/draft").content.decode())
    form["s1-percent"] = "80"
    form["s0-delay_s"] = ""
    data = {**dict(form.lists()), "act": "check"}
    body = client.post(f"{STANDARD}/draft", data, headers={"HX-Request": "true"}).content.decode()
    assert "<input" not in body
    assert 'hx-swap-oob="true">This trigger needs it.' in body
    assert "reaches 80 %" in body
    places = set(re.findall(r'id="(e-[^"]+|says-\d|draft-says)"', body))
    page = client.get(f"{STANDARD}/draft").content.decode()
    assert {place for place in places if f'id="{place}"' not in page} == set()


@pytest.mark.parametrize(
    "hostile",
    [
        "s999-name=x&s5-trigger=manual&c999-fact=kind",
        "s0-trigger=since_start&s0-delay_s=99999999999999999999&s0-delay_s-unit=y",
        "s0-trigger=%00&s0-a0-do=%00&s0-a0-to=%00&repeat_limit=%00",
        "s0-gates=1&s0-weekdays=9&s0-weekdays=12&s0-zone=../etc&s0-from=99:99",
        "&".join(f"s{n}-name={n}&s{n}-a0-do=page" for n in range(300)),
        "stop_on=never&repeat_limit=-1&repeat_after_s=1e9",
    ],
)
def test_a_form_full_of_nonsense_is_refused_in_sentences(stage, sign_in, hostile):
    answer = sign_in(stage.mara).post(
        f"{STANDARD}/draft",
        f"{hostile}&act=save",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code in (400, 422)
    assert not PolicyRevision.objects.filter(published_at=None).exists()


# ---- Publishing, moving, remembering -------------------------------------------------------------


@pytest.fixture
def draft(policy) -> PolicyRevision:
    base = draft_of(policy.current)
    steps = [{**base.steps[0], "delay_s": 600}, *base.steps[1:]]
    changed = rearranged(Draft(steps=steps), "remove-2")
    return draft_policy(policy=policy, **as_arguments(changed))


def test_publishing_says_what_changes_and_whom_it_touches(stage, policy, draft, sign_in):
    client = sign_in(stage.mara)
    told = text(client, f"{STANDARD}/publish")
    assert "delay was 15 min, becomes 10 min" in told
    assert "Step “Call the incident manager” is removed." in told
    case = stage.tickets["case"]
    assert stage.tickets["slow"].key in told
    assert case.key not in told
    answer = client.post(f"{STANDARD}/publish")
    assert (answer.status_code, answer.url) == (302, STANDARD)
    policy.refresh_from_db()
    assert policy.current == draft
    assert "stay there unless you move them" in text(client, STANDARD)


def test_running_climbs_are_moved_with_a_reason(stage, policy, draft, sign_in):
    client = sign_in(stage.mara)
    client.post(f"{STANDARD}/publish")
    client.post(f"{STANDARD}/move", {"reason": ""})
    assert Run.objects.filter(state="active", revision=draft).count() == 0
    client.post(f"{STANDARD}/move", {"reason": "Sooner is better"})
    assert not Run.objects.filter(state="active").exclude(revision=draft).exists()
    slow = Ticket.objects.get(pk=stage.tickets["slow"].pk)
    assert slow.events.filter(kind="run_started").count() == 2
    assert "older revision" not in text(client, STANDARD)


def test_without_a_draft_there_is_nothing_to_publish(stage, sign_in):
    answer = sign_in(stage.mara).post(f"{STANDARD}/publish", follow=True)
    assert "no draft" in answer.content.decode()


def test_the_history_tells_what_each_revision_changed(stage, policy, draft, sign_in):
    publish_policy(policy=policy, actor=stage.mara)
    reader = sign_in(stage.ines)
    told = text(reader, f"{STANDARD}/history")
    assert "What r2 changed from r1" in told
    assert "delay was 15 min, becomes 10 min" in told
    assert "Mara Lindt" in told
    assert "r1 was the first" in text(reader, f"{STANDARD}/history?revision=1")
    assert "What r2 changed" in text(reader, f"{STANDARD}/history?revision=zebra")


def test_the_ladder_stands_in_the_order_in_which_it_is_climbed(policy):
    steps = plain(policy.current)
    lines = lines_of([steps[2], steps[0], steps[1], {**steps[0], "delay_s": 60}])
    assert [[rung.mark for rung in line.rungs] for line in lines] == [
        ["75 %", "100 %"],
        ["1 min", "15 min"],
    ]


def test_a_policy_is_begun_on_the_web_and_does_nothing_before_it_is_published(stage, sign_in):
    client = sign_in(stage.mara)
    done = client.post("/policies/new", {"name": "Databases, P1 and P2", "mode": "beside"})
    added = Policy.objects.get(slug="databases-p1-and-p2")
    assert done.url == f"/policies/{added.slug}/draft"
    assert (added.mode, added.current, added.position) == ("beside", None, 11)
    assert client.get(done.url).status_code == 200
    again = client.post("/policies/new", {"name": "Databases, P1 and P2", "mode": "main"})
    assert again.status_code == 409
    assert "There is a policy named" in again.content.decode()
    assert client.post("/policies/new", {"name": "???", "mode": "main"}).status_code == 422
    assert sign_in(stage.nora).get("/policies/new").status_code == 403
