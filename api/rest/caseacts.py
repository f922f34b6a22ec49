"""The acts on what a ticket is besides: its climb, a major, a case, a vendor's work, a change."""

from typing import Any, Final

from rest_framework import serializers

from api.rest.acts import WORDS_MAX, Act, Linking, Reasoned
from api.rest.references import (
    PersonName,
    ReadableArticle,
    RevisionNumber,
    TicketKey,
    VendorName,
)
from api.rest.resource import StrictSerializer, Text
from escalation import calling, holding, vendors
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import (
    adoption,
    articles,
    changes,
    clearance,
    company,
    feedback,
    incidents,
    links,
    merging,
    notices,
    problems,
    restriction,
    runbooks,
    staffing,
    swarming,
    warroom,
)
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import Change, Feedback, Major, Phase, Ticket
from tickets.stakeholders import AUDIENCES

ENDINGS: Final = [
    (each.value, each.label)
    for each in (Change.State.IMPLEMENTED, Change.State.FAILED, Change.State.BACKED_OUT)
]
CODES: Final = list(RESOLUTION_CODES.items())
AUDIENCE_CHOICES: Final = list(AUDIENCES.items())


# ---- Its climb, and who works on it --------------------------------------------------------------


class Merging(StrictSerializer):
    """The ticket that goes on, and why they are one."""

    into = TicketKey()
    reason = Text(max_length=2000)


class Snoozing(StrictSerializer):
    """Until when its policy rests, and why."""

    until = serializers.DateTimeField()
    reason = Text(max_length=250)


class Calling(StrictSerializer):
    """Which step of which policy under way, as `callable-steps` lists them."""

    policy = Text(max_length=80)
    position = serializers.IntegerField(min_value=1)
    reason = Text(max_length=2000)


class Following(StrictSerializer):
    """Somebody by full e-mail address, or by name within one's own organisation."""

    person = Text(max_length=254)


class Rate(StrictSerializer):
    """The requester's mark, 1 (very bad) to 5 (very good)."""

    score = serializers.ChoiceField(Feedback.Score.choices)
    comment = Text(max_length=2000, required=False, allow_blank=True)


class Using(StrictSerializer):
    """The article that solved it."""

    article = ReadableArticle()


class Ticking(StrictSerializer):
    """One step of a runbook's revision, counted from 0, done or not."""

    revision = RevisionNumber()
    item = serializers.IntegerField(min_value=0)
    done = serializers.BooleanField(default=True)


def _call_step(*, ticket: Ticket, policy: str, position: int, **given: Any) -> object:
    choices = calling.callable_steps(ticket)
    runs = [choice.run for choice in choices if choice.run.policy.slug == policy]
    if not runs:
        told = {"policy": "This policy does not run for the ticket."}
        raise Invalid("not_running", "There is no such step to be called.", told)
    return calling.call_step(ticket=ticket, run=runs[0], position=position, **given)


def _invite(*, ticket: Ticket, actor: Person, person: str, via: str) -> object:
    named = company.known_person(actor, person)
    return company.invite(ticket=ticket, actor=actor, person=named, via=via)


def _uninvite(*, ticket: Ticket, actor: Person, person: str, via: str) -> None:
    named = company.known_person(actor, person)
    company.uninvite(ticket=ticket, actor=actor, person=named, via=via)


def _adopt(*, ticket: Ticket, **given: Any) -> object:
    outcome = adoption.adopt(ticket_ids=[ticket.pk], **given)
    if outcome.left:
        raise Conflict("not_adopted", " ".join(outcome.left.values()))
    return outcome


CLIMB_ACTS: Final = (
    Act(
        "leave",
        "Stop helping on it.",
        ("comment_internal",),
        swarming.leave,
    ),
    Act("merge", "Close it as a duplicate of another.", ("merge",), merging.merge, Merging),
    Act("unlink", "Take a link back.", ("link",), links.unlink, Linking),
    Act("snooze", "Let its policy rest; clocks run on.", ("snooze",), holding.snooze, Snoozing),
    Act("end-snooze", "Let its policy go on.", ("snooze",), holding.end_snooze),
    Act("call-step", "Carry a step of its policy out now.", ("call_step",), _call_step, Calling),
    Act("invite", "Let somebody follow the request.", ("invite",), _invite, Following),
    Act("uninvite", "Let somebody follow it no longer.", ("invite",), _uninvite, Following),
    Act("rate", "Say, as the requester, how it went.", ("rate",), feedback.rate, Rate),
    Act(
        "use-article",
        "Note that an article solved it.",
        ("use_article",),
        articles.use_article,
        Using,
    ),
    Act("tick", "Mark a step of a runbook as done.", ("use_article",), runbooks.tick, Ticking),
    Act("adopt", "Take over an imported ticket.", ("adopt",), _adopt, Reasoned),
)


# ---- Major incidents -----------------------------------------------------------------------------


class Proposing(StrictSerializer):
    """Why it is a major incident, and how grave: 1 critical, 2 severe, 3 grave."""

    reason = Text(max_length=2000)
    severity = serializers.ChoiceField(Major.Severity.choices, required=False)


class Accepting(StrictSerializer):
    """How grave it is; without it, as proposed."""

    severity = serializers.ChoiceField(Major.Severity.choices, required=False)


class Updating(StrictSerializer):
    """How it goes, for whom, and when they hear again."""

    text = Text(max_length=WORDS_MAX)
    audience = serializers.ChoiceField(AUDIENCE_CHOICES, required=False)
    next_in_min = serializers.IntegerField(
        min_value=1, max_value=incidents.LONGEST_SILENCE_MIN, required=False
    )
    phase = serializers.ChoiceField(Phase.choices, required=False)


class Deciding(StrictSerializer):
    """What was decided."""

    text = Text(max_length=2000)


class Staffing(StrictSerializer):
    """Who has which role, and where people meet; what is left out stays as it is."""

    manager = PersonName(required=False)
    coordinator = PersonName(required=False, allow_null=True)
    technical_lead = PersonName(required=False, allow_null=True)
    scribe = PersonName(required=False, allow_null=True)
    bridge_url = Text(max_length=200, required=False, allow_blank=True)
    channel_url = Text(max_length=200, required=False, allow_blank=True)


class Child(StrictSerializer):
    """A ticket that hangs on the major incident."""

    child = TicketKey()


class Solving(StrictSerializer):
    """What solved it, and whether for the tickets that hang on it too."""

    code = serializers.ChoiceField(CODES)
    text = Text(max_length=WORDS_MAX)
    with_children = serializers.BooleanField(required=False)


class SolvingMajor(Solving):
    """The same of a major incident; quietly, only those who asked in a ticket are told."""

    quietly = serializers.BooleanField(required=False)


def _staff(*, ticket: Ticket, actor: Person, via: str, **given: Any) -> object:
    people = {role: given[role] for role in staffing.ROLE_WORDS if role in given}
    places = {name: given[name] for name in ("bridge_url", "channel_url") if name in given}
    return staffing.staff_major(ticket=ticket, actor=actor, people=people, via=via, **places)


_RUN: Final = ("run_major",)
MAJOR_ACTS: Final = (
    Act(
        "propose-major",
        "Propose a major incident.",
        ("propose_major",),
        incidents.propose_major,
        Proposing,
    ),
    Act("declare-major", "Declare a major incident.", _RUN, incidents.declare_major, Proposing),
    Act("accept-major", "Accept what was proposed.", _RUN, incidents.accept_major, Accepting),
    Act("reject-major", "Reject what was proposed.", _RUN, incidents.reject_major, Reasoned),
    Act(
        "update-major",
        "Tell stakeholders how it goes.",
        ("update_stakeholders",),
        incidents.post_update,
        Updating,
    ),
    Act("decide", "Keep a decision.", ("comment_internal",), warroom.decide, Deciding),
    Act("staff-major", "Name its roles and places.", _RUN, _staff, Staffing),
    Act("attach-child", "Attach a ticket to it.", _RUN, incidents.attach_child, Child),
    Act("detach-child", "Detach a ticket from it.", _RUN, incidents.detach_child, Child),
    Act(
        "resolve-major", "Resolve the major incident.", _RUN, incidents.resolve_major, SolvingMajor
    ),
    Act("demote-major", "Make it an ordinary incident.", _RUN, incidents.demote_major, Reasoned),
)


# ---- Restricted cases ----------------------------------------------------------------------------


class Restricting(StrictSerializer):
    """Why only few may know of it, and who besides the security lane's own people."""

    reason = Text(max_length=2000)
    cleared = serializers.ListField(child=PersonName(), max_length=50, required=False)


class Clearing(StrictSerializer):
    """Somebody who must know of the case, or need not any more, and why."""

    person = PersonName()
    reason = Text(max_length=2000)


class Owing(StrictSerializer):
    """Which authority must be told, and from when its time runs; without that, from now."""

    authority = Text(max_length=200)
    since = serializers.DateTimeField(required=False, allow_null=True)
    reason = Text(max_length=2000, required=False, allow_blank=True)


class Giving(StrictSerializer):
    """Which authority has been told, under which reference."""

    authority = Text(max_length=200)
    reference = Text(max_length=200, required=False, allow_blank=True)


_LIFT: Final = ("unrestrict",)
_TELL: Final = ("notify_authority",)
CASE_ACTS: Final = (
    Act(
        "restrict",
        "Put it under need-to-know.",
        ("restrict",),
        restriction.restrict,
        Restricting,
    ),
    Act("clear", "Let somebody know of the case.", ("clear",), clearance.clear, Clearing),
    Act("unclear", "Take somebody's clearance.", ("clear",), clearance.unclear, Clearing),
    Act("lift", "Propose to lift it.", _LIFT, restriction.propose_unrestrict, Reasoned),
    Act("confirm-lift", "Lift it, as a second person.", _LIFT, restriction.confirm_unrestrict),
    Act("refuse-lift", "Leave it restricted.", _LIFT, restriction.withdraw_unrestrict),
    Act("owe-notice", "Note that an authority must be told.", _TELL, notices.owe_notice, Owing),
    Act("give-notice", "Note that it has been told.", _TELL, notices.give_notice, Giving),
)


# ---- Vendors, problems, changes ------------------------------------------------------------------


class Engaging(StrictSerializer):
    """Which vendor, what it is asked, and whether the ticket waits for it."""

    vendor = VendorName()
    reason = Text(max_length=WORDS_MAX)
    reference = Text(max_length=120, required=False, allow_blank=True)
    wait = serializers.BooleanField(required=False)


class Answered(StrictSerializer):
    """The vendor's number and words."""

    reference = Text(max_length=120, required=False, allow_blank=True)
    text = Text(max_length=WORDS_MAX, required=False, allow_blank=True)


class Delivered(StrictSerializer):
    """What the vendor has delivered."""

    result = Text(max_length=WORDS_MAX)


class Diagnosing(StrictSerializer):
    """What is known of a problem."""

    cause = Text(max_length=WORDS_MAX, required=False, allow_blank=True)
    workaround = Text(max_length=WORDS_MAX, required=False, allow_blank=True)
    is_known_error = serializers.BooleanField(required=False)


class PassingOn(StrictSerializer):
    """Whether the requesters of its children hear of the workaround too."""

    to_requesters = serializers.BooleanField(required=False)


class Planning(StrictSerializer):
    """What is done, how one sees that it works, how it is undone, and when."""

    plan = Text(max_length=WORDS_MAX)
    test = Text(max_length=WORDS_MAX, required=False, allow_blank=True)
    back_out = Text(max_length=WORDS_MAX, required=False, allow_blank=True)
    window_from = serializers.DateTimeField(required=False, allow_null=True)
    window_until = serializers.DateTimeField(required=False, allow_null=True)


class Approving(StrictSerializer):
    """A word with the approval."""

    reason = Text(max_length=2000, required=False, allow_blank=True)


class Ending(StrictSerializer):
    """How the change ended."""

    how = serializers.ChoiceField(ENDINGS)
    result = Text(max_length=WORDS_MAX)


_VENDOR: Final = ("engage_vendor",)
_PLAN: Final = ("plan_change",)
_APPROVE: Final = ("approve_change",)
PARTNER_ACTS: Final = (
    Act("engage-vendor", "Engage a vendor.", _VENDOR, vendors.engage, Engaging),
    Act("vendor-answered", "Note that it answered.", _VENDOR, vendors.respond, Answered),
    Act("vendor-delivered", "Note that it delivered.", _VENDOR, vendors.deliver, Delivered),
    Act("release-vendor", "Release the vendor.", _VENDOR, vendors.release_vendor, Reasoned),
    Act(
        "diagnose",
        "Note cause and workaround.",
        ("diagnose",),
        problems.diagnose,
        Diagnosing,
    ),
    Act(
        "publish-workaround",
        "Pass the workaround on to its open tickets.",
        ("diagnose",),
        problems.publish_workaround,
        PassingOn,
    ),
    Act("resolve-problem", "Resolve it.", ("resolve",), problems.resolve_problem, Solving),
    Act("plan-change", "Write the plan.", _PLAN, changes.plan_change, Planning),
    Act("submit-change", "Ask for approval.", _PLAN, changes.submit_change),
    Act("approve-change", "Approve it.", _APPROVE, changes.approve_change, Approving),
    Act("reject-change", "Reject it.", _APPROVE, changes.reject_change, Reasoned),
    Act("end-change", "Say how it ended.", _PLAN, changes.end_change, Ending),
)

ALL: Final = (*CLIMB_ACTS, *MAJOR_ACTS, *CASE_ACTS, *PARTNER_ACTS)
