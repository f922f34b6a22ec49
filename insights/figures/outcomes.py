"""Figures of how it ends: incidents, load, what people say, what was written down."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from insights.figures.figure import COUNT, MEAN, SHARE, TIME, Figure, Part

OUTCOMES: Final = (
    Figure(
        slug="mttd",
        name=_("Time to detect"),
        definition=_(
            "From the beginning of an incident until it was detected; the mean of those for which"
            " both times are known (MTTD). In working time: by the hours of its resolution target."
        ),
        unit=TIME,
        top=Part("detected", "total"),
        over=Part("detected"),
        work=Part("detected", "work"),
        lacking=_("no incident of this period says when it began and when it was detected"),
        better="less",
    ),
    Figure(
        slug="mtta",
        name=_("Time to acknowledge"),
        definition=_(
            "From the opening of an incident until somebody acknowledged or took it; the mean of"
            " those where anybody did (MTTA). In working time: by the hours of its acceptance"
            " target."
        ),
        unit=TIME,
        top=Part("touched", "total"),
        over=Part("touched"),
        work=Part("touched", "work"),
        lacking=_("nobody acknowledged or took an incident in this period"),
        better="less",
    ),
    Figure(
        slug="mttr",
        name=_("Time to resolve"),
        definition=_(
            "From the opening of an incident until the solution that stands, waiting included; the"
            " mean (MTTR). In working time: by the hours of its resolution target."
        ),
        unit=TIME,
        top=Part("restored", "total"),
        over=Part("restored"),
        work=Part("restored", "work"),
        lacking=_("no incident was solved in this period"),
        better="less",
    ),
    Figure(
        slug="policy-mtta",
        name=_("Time to acknowledge"),
        definition=_(
            "From the opening of an incident until somebody acknowledged or took it; the mean of"
            " those where anybody did. Each counts for the policy under which it was then."
        ),
        unit=TIME,
        top=Part("policy_touched", "total"),
        over=Part("policy_touched"),
        work=Part("policy_touched", "work"),
        lacking=_("nobody acknowledged or took an incident in this period"),
        better="less",
    ),
    Figure(
        slug="policy-mttr",
        name=_("Time to resolve"),
        definition=_(
            "From the opening of an incident until the solution that stands, waiting included; the"
            " mean. Each counts for the policy under which it was then."
        ),
        unit=TIME,
        top=Part("policy_restored", "total"),
        over=Part("policy_restored"),
        work=Part("policy_restored", "work"),
        lacking=_("no incident was solved in this period"),
        better="less",
    ),
    Figure(
        slug="majors",
        name=_("Major incidents"),
        definition=_("How many times a ticket was declared a major incident."),
        unit=COUNT,
        top=Part("major"),
        better="less",
    ),
    Figure(
        slug="solved",
        name=_("Solved"),
        definition=_(
            "How many tickets were solved for the first time in the period; merged duplicates do"
            " not count."
        ),
        unit=COUNT,
        top=Part("solved"),
    ),
    Figure(
        slug="resolution-rate",
        name=_("Resolution rate"),
        definition=_(
            "Tickets solved for the first time in the period, measured against those opened in it:"
            " below 100 % more came in than went out."
        ),
        unit=SHARE,
        top=Part("solved"),
        over=Part("opened"),
        lacking=_("no ticket was opened in this period"),
        better="more",
    ),
    Figure(
        slug="reopened",
        name=_("Reopened"),
        definition=_(
            "Of the tickets first solved in the period, the share that was reopened at least once,"
            " until now."
        ),
        unit=SHARE,
        top=Part("reopened"),
        over=Part("solved"),
        lacking=_("nothing was solved in this period"),
        better="less",
    ),
    Figure(
        slug="first-contact",
        name=_("Solved at first contact"),
        definition=_(
            "Of the tickets first solved in the period, the share that its first team solved alone,"
            " without asking back, and that was not reopened."
        ),
        unit=SHARE,
        top=Part("first_contact"),
        over=Part("solved"),
        lacking=_("nothing was solved in this period"),
        better="more",
    ),
    Figure(
        slug="proactive",
        name=_("Found before a user"),
        definition=_("Of the incidents opened in the period, the share that a monitor found."),
        unit=SHARE,
        top=Part("incident", "total"),
        over=Part("incident"),
        lacking=_("no incident was opened in this period"),
        better="more",
    ),
    Figure(
        slug="pages",
        name=pgettext_lazy("alarm", "Pages"),
        definition=_(
            "How many times somebody was paged for a ticket that the team had then: each person"
            " once for each call, whatever the channel."
        ),
        unit=COUNT,
        top=Part("page"),
        better="less",
    ),
    Figure(
        slug="night-pages",
        name=_("Pages at night"),
        definition=_("Those between 22 and 7 by the paged person's own clock."),
        unit=COUNT,
        top=Part("page", tag="night"),
        better="less",
    ),
    Figure(
        slug="nights",
        name=_("Nights disturbed"),
        definition=_(
            "In how many nights, from 22 to 7 by their own clock, people were paged: each person's"
            " night once, for the team that had the ticket."
        ),
        unit=COUNT,
        top=Part("nights"),
        behind=Part("page", tag="night"),
        listed=_("Listed are all pages of those nights."),
        better="less",
    ),
    Figure(
        slug="age",
        name=_("Age of open tickets"),
        definition=_("How long ago the tickets that are open now were opened; the mean."),
        unit=TIME,
        top=Part("backlog", "total"),
        over=Part("backlog"),
        lacking=_("no ticket is open"),
        is_present=True,
        is_age=True,
        better="less",
    ),
    Figure(
        slug="backlog",
        name=_("Open tickets"),
        definition=_("Tickets that are open now, with the team that has them."),
        unit=COUNT,
        top=Part("backlog"),
        is_present=True,
    ),
    Figure(
        slug="csat",
        name=_("Content requesters"),
        definition=_("Of all marks given in the period, the share of 4 and 5 (CSAT)."),
        unit=SHARE,
        top=Part("rated", "work"),
        over=Part("rated"),
        lacking=_("nobody gave a mark in this period"),
        listed=_("Listed are the marks of 4 and 5."),
        better="more",
    ),
    Figure(
        slug="mark",
        name=_("Mean mark"),
        definition=_("The mean of all marks given in the period, from 1 (very bad) to 5."),
        unit=MEAN,
        top=Part("rated", "total"),
        over=Part("rated"),
        lacking=_("nobody gave a mark in this period"),
        better="more",
    ),
    Figure(
        slug="answers",
        name=_("Marks given"),
        definition=_("Marks of the period, measured against the tickets solved in it."),
        unit=SHARE,
        top=Part("rated"),
        over=Part("solved"),
        lacking=_("nothing was solved in this period"),
        better="more",
    ),
    Figure(
        slug="receivers",
        name=_("Receivers: rightly escalated"),
        definition=_(
            "Of what receivers of escalations said of them in the period, the share of: right tier,"
            " nothing was missing."
        ),
        unit=SHARE,
        top=Part("receiver_word", "total"),
        over=Part("receiver_word"),
        lacking=_("no receiver said anything of an escalation in this period"),
        listed=_("Listed are those that were right."),
        better="more",
    ),
    Figure(
        slug="senders",
        name=_("Senders: were helped"),
        definition=_(
            "Of what senders of escalations said of them in the period, the share of: they helped."
        ),
        unit=SHARE,
        top=Part("sender_word", "total"),
        over=Part("sender_word"),
        lacking=_("no sender said anything of an escalation in this period"),
        listed=_("Listed are those that were helped."),
        better="more",
    ),
    Figure(
        slug="complaints",
        name=_("Complaints"),
        definition=_(
            "How many times a requester asked where the answer is, reopened a ticket, or gave a"
            " mark of 1 or 2."
        ),
        unit=COUNT,
        top=Part("complaint"),
        better="less",
    ),
    Figure(
        slug="documentation",
        name=_("Fields filled"),
        definition=_(
            "Of the fields that a solved ticket should have (service, category, code, solution; of"
            " an incident also when it began and was detected), the share that is filled."
        ),
        unit=SHARE,
        top=Part("documented", "total"),
        over=Part("documented"),
        lacking=_("nothing was solved in this period"),
        behind=Part("undocumented"),
        listed=_("Listed are the empty fields."),
        better="more",
    ),
    Figure(
        slug="missing",
        name=_("Fields missing"),
        definition=_("How many of those fields are empty, by field."),
        unit=COUNT,
        top=Part("undocumented"),
        better="less",
    ),
    Figure(
        slug="contracts",
        name=_("Hand-overs complete"),
        definition=_(
            "Of the hand-overs for which the receiver's contract asked for something, the share"
            " that owes nothing."
        ),
        unit=SHARE,
        top=Part("handover_owed", "total"),
        over=Part("handover_owed"),
        inverse=True,
        lacking=_("no hand-over of this period was under a contract"),
        listed=_("Listed are those that owe something."),
        better="more",
    ),
    Figure(
        slug="articles",
        name=_("Solved by an article"),
        definition=_(
            "Of the tickets first solved in the period, the share for which an article was used."
        ),
        unit=SHARE,
        top=Part("article"),
        over=Part("solved"),
        lacking=_("nothing was solved in this period"),
        better="more",
    ),
)
