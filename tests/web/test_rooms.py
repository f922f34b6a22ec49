"""Majors, cases, vendors, problems and changes on their pages, and the acts that lead there."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.models import Vendor, VendorContact
from escalation.vendors import engage
from roles.models import Duty, DutyAssignment, Organisation, Person
from roles.people import forget_roles
from tickets.changes import plan_change, submit_change
from tickets.incidents import attach_child, declare_major, post_update, propose_major
from tickets.links import link
from tickets.models import Clearance, Lifting, Major, Service, Ticket, TicketLink
from tickets.opening import open_ticket
from tickets.problems import diagnose
from tickets.restriction import propose_unrestrict

LISTS = ("majors", "cases", "vendors", "problems", "changes")


def give_duty(person: Person, slug: str) -> Person:
    duty, _ = Duty.objects.get_or_create(slug=slug, defaults={"name": slug})
    DutyAssignment.objects.get_or_create(duty=duty, person=person)
    forget_roles(person)
    return person


@pytest.fixture
def major(stage) -> Ticket:
    slow = stage.tickets["slow"]
    declare_major(ticket=slow, actor=stage.mara, reason="Nobody can order.", severity=1)
    attach_child(ticket=slow, child=stage.tickets["mail"], actor=stage.mara)
    return Ticket.objects.get(pk=slow.pk)


def of_kind(stage, kind: str, subject: str) -> Ticket:
    return open_ticket(
        subject=subject,
        requester=stage.nora,
        actor=stage.nora,
        kind=kind,
        team=stage.teams["support"],
    )


# ---- Who gets in ---------------------------------------------------------------------------------


def test_the_lists_are_for_people_of_the_service(stage, sign_in):
    for name in LISTS:
        assert sign_in(stage.ines).get(f"/{name}").status_code == 200, name
        assert sign_in(stage.ada).get(f"/{name}").status_code == 404, name


def test_a_list_asks_the_same_however_much_is_in_it(stage, sign_in, major):
    client = sign_in(stage.mara)

    def cost(name: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/{name}")
        return len(asked)

    problem = of_kind(stage, "problem", "Index rebuild")
    plan_change(ticket=of_kind(stage, "change", "New index"), actor=stage.nora, plan="Do it.")
    vendor = Vendor.objects.create(slug="oracle", name="Database vendor")
    listed = (*LISTS, "status")
    before = {name: cost(name) for name in listed}
    for number in range(4):
        plan_change(ticket=of_kind(stage, "change", f"{number}"), actor=stage.nora, plan="Do it.")
        link(
            ticket=stage.tickets["vpn"],
            other=of_kind(stage, "problem", f"{number}"),
            relation=TicketLink.Relation.CAUSED_BY,
            actor=stage.ines,
        )
        Vendor.objects.create(slug=f"v{number}", name=f"Vendor {number}")
    engage(ticket=stage.tickets["payroll"], vendor=vendor, actor=stage.mara, reason="Help.")
    declare_major(ticket=stage.tickets["payroll"], actor=stage.mara, reason="Pay day.")
    assert {name: cost(name) for name in listed} == before
    assert max(before.values()) <= 15
    assert problem.pk


# ---- Majors --------------------------------------------------------------------------------------


def test_a_proposed_major_is_accepted_and_leads_into_its_room(stage, sign_in):
    slow = stage.tickets["slow"]
    propose_major(ticket=slow, actor=stage.nora, reason="Half of the shops are down.")
    client = sign_in(stage.mara)
    assert b"Half of the shops are down." in client.get("/majors").content
    answer = client.post(f"/tickets/{slow.key}/accept-major", {"severity": "1"})
    assert (answer.status_code, answer.url) == (302, f"/majors/{slow.key}")
    page = client.get(answer.url).content.decode()
    assert "Critical" in page
    assert "Mara Lindt" in page
    assert "Send update" in page


def test_a_major_that_a_policy_proposed_says_so_in_german(stage, sign_in):
    propose_major(ticket=stage.tickets["slow"], actor=stage.nora, reason="Half of the shops.")
    Major.objects.update(proposer=None)
    Person.objects.filter(pk=stage.mara.pk).update(language="de")
    page = sign_in(stage.mara).get("/majors").content.decode()
    assert "vorgeschlagen von einer Eskalationsregel" in page


def test_an_update_is_written_in_the_room_and_read_on_the_status_page(stage, sign_in, major):
    client = sign_in(stage.mara)
    given = {"text": "Orders work again in the north.", "audience": "everybody", "next_in_min": 20}
    assert client.post(f"/tickets/{major.key}/update-major", given).url == f"/majors/{major.key}"
    record = Major.objects.get(ticket=major.pk)
    assert (record.next_update_at - record.last_update_at).total_seconds() == 20 * 60
    for person in (stage.ada, stage.bo, stage.ines):
        assert b"Orders work again in the north." in sign_in(person).get("/status").content


def test_what_is_said_inside_does_not_reach_the_status_page(stage, sign_in, major):
    post_update(ticket=major, actor=stage.mara, text="The database is gone.", audience="inside")
    assert b"The database is gone." not in sign_in(stage.ada).get("/status").content
    assert b"The database is gone." in sign_in(stage.ines).get(f"/majors/{major.key}").content


def test_one_press_on_the_status_page_subscribes_and_another_ends_it(stage, sign_in):
    service = Service.objects.filter(is_active=True).first()
    client = sign_in(stage.bo)
    for hear, is_told in (("yes", True), ("yes", True), ("no", False)):
        answer = client.post(f"/status/{service.slug}/hear", {"hear": hear})
        assert (answer.status_code, answer.url) == (302, "/status")
        assert (b"told-good" in client.get("/status").content) is is_told
    assert client.post("/status/none/hear", {"hear": "yes"}).status_code == 404


def test_the_status_page_tells_a_stranger_of_another_customer_nothing(stage, sign_in, major):
    Ticket.objects.filter(pk=major.pk).update(subject="Secret words")
    elsewhere = Organisation.objects.create(slug="other", name="Other")
    stranger = stage.stranger
    Person.objects.filter(pk=stranger.pk).update(organisation=elsewhere)
    assert b"No disruption is known." in sign_in(stranger).get("/status").content
    colleague = sign_in(stage.bo).get("/status").content
    assert b"Critical" in colleague
    assert b"Secret words" not in colleague


def test_who_demotes_reads_first_whom_it_reaches(stage, sign_in, major):
    client = sign_in(stage.mara)
    address = f"/tickets/{major.key}/demote-major"
    asked = client.get(address).content
    assert b"are told why" in asked
    assert b"The status page no longer shows it" in asked
    assert client.post(address, {"reason": ""}).status_code == 422
    assert b"Next update" in client.get("/status").content
    client.post(address, {"reason": "One shop only."})
    assert Major.objects.get(ticket=major.pk).state == Major.State.DEMOTED
    assert b"Next update" not in client.get("/status").content


def test_a_refused_update_keeps_what_was_written(stage, sign_in, major):
    given = {"text": "Half an hour of work", "audience": "everybody", "next_in_min": 0}
    answer = sign_in(stage.mara).post(f"/tickets/{major.key}/update-major", given)
    assert answer.status_code == 422
    assert b"Half an hour of work" in answer.content


def test_roles_are_named_by_user_name_or_full_name(stage, sign_in, major):
    give_duty(stage.nora, "communication-coordinator")
    given = {
        "manager": "mara",
        "coordinator": "Nora Weiss",
        "technical_lead": "petra@example.com",
        "bridge_url": "https://meet.example.com/1",
    }
    client = sign_in(stage.mara)
    assert client.post(f"/tickets/{major.key}/staff-major", given).status_code == 302
    record = Major.objects.get(ticket=major.pk)
    assert (record.coordinator, record.technical_lead) == (stage.nora, stage.petra)
    assert b"https://meet.example.com/1" in client.get(f"/majors/{major.key}").content
    wrong = client.post(f"/tickets/{major.key}/staff-major", {**given, "scribe": "nobody-here"})
    assert wrong.status_code == 422
    assert b"Nobody who is active has this name." in wrong.content


def test_resolving_the_major_says_what_came_of_its_children(stage, sign_in, major):
    given = {"code": "fixed", "text": "Index rebuilt.", "with_children": "on"}
    answer = sign_in(stage.mara).post(f"/tickets/{major.key}/resolve-major", given, follow=True)
    assert b"Resolved, and 1 ticket with it." in answer.content
    child = Ticket.objects.get(pk=stage.tickets["mail"].pk)
    assert child.status == "resolved"


def test_a_requester_sees_no_room(stage, sign_in, major):
    assert sign_in(stage.ada).get(f"/majors/{major.key}").status_code == 404
    assert sign_in(stage.ines).get(f"/majors/{stage.tickets['vpn'].key}").status_code == 404


# ---- Cases ---------------------------------------------------------------------------------------


def test_a_case_exists_for_the_cleared_only(stage, sign_in):
    key = stage.tickets["case"].key
    cleared, other = sign_in(stage.sam), sign_in(stage.ines)
    assert key.encode() in cleared.get("/cases").content
    assert b"Sam Achebe" in cleared.get(f"/cases/{key}").content
    assert key.encode() not in other.get("/cases").content
    assert other.get(f"/cases/{key}").status_code == 404
    assert sign_in(stage.sam).get(f"/cases/{stage.tickets['vpn'].key}").status_code == 404


def test_restricting_from_the_ticket_puts_it_out_of_the_sight_of_others(stage, sign_in):
    vpn = stage.tickets["vpn"]
    given = {"reason": "The client holds foreign keys.", "cleared": "teo"}
    answer = sign_in(stage.ines).post(f"/tickets/{vpn.key}/restrict", given)
    assert (answer.status_code, answer.url) == (302, f"/tickets/{vpn.key}")
    knowing = set(Clearance.objects.filter(ticket=vpn.pk).values_list("person", flat=True))
    assert {stage.ines.pk, stage.teo.pk} <= knowing
    assert sign_in(stage.omar).get(f"/tickets/{vpn.key}").status_code == 404


def test_it_takes_a_second_person_to_lift_a_restriction(stage, sign_in):
    case = stage.tickets["case"]
    first, ciso = (give_duty(person, "ciso") for person in (stage.teo, stage.petra))
    for person in (first, ciso):
        Clearance.objects.create(ticket=case, person=person)
    propose_unrestrict(ticket=case, actor=first, reason="It was a test.")
    own = sign_in(first).post(f"/tickets/{case.key}/confirm-lift")
    assert own.status_code == 409
    assert b"a second person confirms it" in own.content
    page = sign_in(ciso).get(f"/cases/{case.key}").content
    assert b"It was a test." in page
    assert sign_in(ciso).post(f"/tickets/{case.key}/confirm-lift").status_code == 302
    assert Lifting.objects.get(ticket=case.pk).confirmer == ciso


def test_the_glass_is_broken_with_a_reason_by_those_who_may(stage, sign_in):
    case = stage.tickets["case"]
    ciso = give_duty(stage.petra, "ciso")
    client = sign_in(ciso)
    given = {"key": case.key, "reason": "Sam is ill and it spreads.", "hours": "2"}
    assert b"Break the glass" in client.get("/cases").content
    missing = client.post("/cases/emergency", {**given, "reason": ""})
    assert missing.status_code == 422
    assert case.key.encode() in missing.content
    unknown = client.post("/cases/emergency", {**given, "key": stage.tickets["vpn"].key})
    assert b"No restricted case has this key." in unknown.content
    answer = client.post("/cases/emergency", given)
    assert (answer.status_code, answer.url) == (302, f"/cases/{case.key}")
    assert b"emergency, until" in client.get(answer.url).content
    assert b"Break the glass" not in sign_in(stage.ines).get("/cases").content
    assert sign_in(stage.ines).post("/cases/emergency", given).status_code == 403


# ---- Vendors, problems, changes ------------------------------------------------------------------


def test_a_vendor_is_engaged_answers_and_delivers(stage, sign_in):
    vendor = Vendor.objects.create(slug="netco", name="Net Co", contract="C-17")
    VendorContact.objects.create(vendor=vendor, role="Service desk", phone="+49 30 1234")
    payroll, client = stage.tickets["payroll"], sign_in(stage.ines)
    client.post(f"/tickets/{payroll.key}/take")
    asked = {"vendor": "netco", "reason": "The line is down.", "wait": "on"}
    assert client.post(f"/tickets/{payroll.key}/engage-vendor", asked).status_code == 302
    assert Ticket.objects.get(pk=payroll.pk).status == "pending_vendor"
    client.post(f"/tickets/{payroll.key}/vendor-answered", {"reference": "NC-5"})
    page = client.get("/vendors/netco").content.decode()
    assert "NC-5" in page
    assert payroll.key in page
    assert "tel:+49301234" in page
    client.post(f"/tickets/{payroll.key}/vendor-delivered", {"result": "Line replaced."})
    assert Ticket.objects.get(pk=payroll.pk).status == "in_progress"


def test_a_vendors_page_names_no_case(stage, sign_in):
    vendor = Vendor.objects.create(slug="netco", name="Net Co")
    case = stage.tickets["case"]
    engage(ticket=case, vendor=vendor, actor=None, reason="Forensics.")
    assert case.key.encode() not in sign_in(stage.ines).get("/vendors/netco").content
    assert case.key.encode() in sign_in(stage.sam).get("/vendors/netco").content


def test_a_problem_shows_what_is_known_and_what_hangs_on_it(stage, sign_in):
    problem = of_kind(stage, "problem", "Pool runs dry after the index rebuild")
    for name in ("vpn", "payroll"):
        link(
            ticket=stage.tickets[name],
            other=problem,
            relation=TicketLink.Relation.CAUSED_BY,
            actor=stage.ines,
        )
    client = sign_in(stage.nora)
    known = {"cause": "A leak in the pool.", "workaround": "Restart.", "is_known_error": "on"}
    assert client.post(f"/tickets/{problem.key}/diagnose", known).url == f"/problems/{problem.key}"
    page = client.get(f"/problems/{problem.key}").content.decode()
    assert "A leak in the pool." in page
    assert "2 open tickets hang on it" in page
    assert "not passed on yet" in page
    client.post(f"/tickets/{problem.key}/publish-workaround", {})
    assert "not passed on yet" not in client.get(f"/problems/{problem.key}").content.decode()
    assert b"known error" in client.get("/problems").content


def test_a_known_error_without_a_cause_is_refused_at_its_field(stage, sign_in):
    problem = of_kind(stage, "problem", "Something")
    answer = sign_in(stage.nora).post(
        f"/tickets/{problem.key}/diagnose", {"is_known_error": "on", "workaround": "Restart."}
    )
    assert answer.status_code == 422
    assert b"Restart." in answer.content
    assert diagnose(ticket=problem, actor=stage.nora, workaround="Restart.").workaround


def test_a_change_is_decided_by_somebody_else_than_its_author(stage, sign_in):
    change = of_kind(stage, "change", "New index on orders")
    client = sign_in(give_duty(stage.nora, "change-manager"))
    plan = {"plan": "Build it at night.", "test": "Time a query.", "back_out": "Drop it."}
    assert client.post(f"/tickets/{change.key}/plan-change", plan).url == f"/changes/{change.key}"
    client.post(f"/tickets/{change.key}/submit-change")
    own = client.post(f"/tickets/{change.key}/approve-change", {"reason": ""})
    assert own.status_code in (403, 409)
    manager = sign_in(give_duty(stage.petra, "change-manager"))
    assert b"Waiting for approval" in manager.get("/changes").content
    manager.post(f"/tickets/{change.key}/approve-change", {"reason": ""})
    page = client.get(f"/changes/{change.key}").content.decode()
    assert "approved" in page
    assert "Petra Novak" in page
    ended = {"how": "implemented", "result": "Ten times as fast."}
    assert client.post(f"/tickets/{change.key}/end-change", ended).status_code == 302
    assert b"Ended" in client.get("/changes").content


def test_who_waits_for_a_change_is_listed_on_it(stage, sign_in):
    change = of_kind(stage, "change", "New gateway")
    plan_change(ticket=change, actor=stage.nora, plan="Swap.", test="Ping.", back_out="Swap back.")
    submit_change(ticket=change, actor=stage.nora)
    client = sign_in(stage.ines)
    vpn = stage.tickets["report"]
    given = {"status": "pending_change", "reason": "The gateway.", "change": change.key}
    assert client.post(f"/tickets/{vpn.key}/pend", given).status_code == 302
    assert vpn.key.encode() in client.get(f"/changes/{change.key}").content


def test_agents_open_problems_and_changes_and_requesters_do_not(stage, sign_in):
    given = {"subject": "One cause", "kind": "problem", "impact": 3, "urgency": 3}
    made = sign_in(stage.ines).post("/new", {**given, "source": "phone"})
    assert made.status_code == 302
    assert Ticket.objects.latest("pk").kind == "problem"
    answer = sign_in(stage.ada).post("/new", given)
    assert (answer.status_code, answer.url) == (302, "/portal/ask")
    refused = sign_in(stage.ada).post("/portal/ask", {**given, "step": "send"})
    assert refused.status_code in (200, 422)
    assert Ticket.objects.filter(kind="problem").count() == 1
