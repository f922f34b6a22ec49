"""Figures of what was promised, and of the ways that tickets go between teams."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from insights.figures.figure import COUNT, MEAN, SHARE, TIME, Figure, Part

NO_TARGETS: Final = _("no target was met or missed in this period")
FLOWS: Final = (
    Figure(
        slug="sla",
        name=_("Promises to requesters kept"),
        definition=_(
            "Of all first responses, updates and solutions that were due or done in the period, the"
            " share in time by their target, its calendar and its pauses."
        ),
        unit=SHARE,
        top=Part("sla", "total"),
        over=Part("sla"),
        inverse=True,
        lacking=NO_TARGETS,
        listed=_("Listed are the missed ones."),
        better="more",
    ),
    Figure(
        slug="ola",
        name=_("Promises between teams kept"),
        definition=_(
            "Of all acceptances and stays in a team that ended or were missed in the period, the"
            " share in time. A ticket that is handed back without being accepted does not count."
        ),
        unit=SHARE,
        top=Part("ola", "total"),
        over=Part("ola"),
        inverse=True,
        lacking=NO_TARGETS,
        listed=_("Listed are the missed ones."),
        better="more",
    ),
    Figure(
        slug="vendors",
        name=_("Vendors' promises kept"),
        definition=_(
            "Of all responses and deliveries that a vendor's contract set a time for, the share in"
            " time, in the hours of the contract."
        ),
        unit=SHARE,
        top=Part("contract", "total"),
        over=Part("contract"),
        inverse=True,
        lacking=_("no vendor answered or was late in this period"),
        listed=_("Listed are the missed ones."),
        better="more",
    ),
    Figure(
        slug="missed",
        name=_("Promises to requesters missed"),
        definition=_("How many first responses, updates and solutions came after their deadline."),
        unit=COUNT,
        top=Part("sla", "total"),
        better="less",
    ),
    Figure(
        slug="late",
        name=_("Time beyond the deadline"),
        definition=_(
            "The working time by which promises to requesters were late, added up, and where the"
            " ticket was meanwhile. Counted once the promise is met at last."
        ),
        unit=TIME,
        top=Part("late", "total"),
        lacking=_("no promise that was missed has been met since, in this period"),
        better="less",
    ),
    Figure(
        slug="escalation-rate",
        name=_("Escalation rate"),
        definition=_(
            "Of the tickets opened in the period, the share that was escalated to another team at"
            " least once, until now. By team: the first team that had it."
        ),
        unit=SHARE,
        top=Part("escalated"),
        over=Part("opened"),
        better="less",
    ),
    Figure(
        slug="handed-over",
        name=_("Changed hands"),
        definition=_(
            "Of the tickets opened in the period, the share that another team than its first had at"
            " some time, in whatever way it came there."
        ),
        unit=SHARE,
        top=Part("handed_over"),
        over=Part("opened"),
        better="less",
    ),
    Figure(
        slug="ping-pong",
        name=_("Ping-pong"),
        definition=_(
            "Of the tickets opened in the period, the share that came back to a team that had it"
            " before. By edge: of all moves on it, those that came back."
        ),
        unit=SHARE,
        top=Part("returned"),
        over=Part("opened"),
        better="less",
    ),
    Figure(
        slug="returns",
        name=_("Moves that came back"),
        definition=_("Of all moves between two teams, the share to a team that had it before."),
        unit=SHARE,
        top=Part("hop", "total"),
        over=Part("hop"),
        better="less",
    ),
    Figure(
        slug="hand-backs",
        name=_("Handed back"),
        definition=_("Hand-backs of the period, measured against its escalations."),
        unit=SHARE,
        top=Part("handed_back"),
        over=Part("escalation"),
        lacking=_("nothing was escalated in this period"),
        better="less",
    ),
    Figure(
        slug="detours",
        name=_("Hops beyond the shortest way"),
        definition=_(
            "How many moves a solved ticket made more than needed: one is needed where another team"
            " than its first solved it, none otherwise. The mean of those solved in the period."
        ),
        unit=MEAN,
        top=Part("detour", "total"),
        over=Part("detour"),
        listed=_("Listed are those that made more moves than needed."),
        better="less",
    ),
    Figure(
        slug="acceptance",
        name=_("Time to accept"),
        definition=_(
            "How long what was handed over waited until somebody of the receiving team took,"
            " accepted or acknowledged it; the mean. Hand-backs do not count."
        ),
        unit=TIME,
        top=Part("accepted", "total"),
        over=Part("accepted"),
        work=Part("accepted", "work"),
        better="less",
    ),
    Figure(
        slug="reasons",
        name=_("Escalations"),
        definition=_("How many times a ticket was escalated to another team, by reason."),
        unit=COUNT,
        top=Part("escalation"),
    ),
    Figure(
        slug="hand-back-reasons",
        name=_("Hand-backs"),
        definition=_("How many times a receiver gave a ticket back, by reason."),
        unit=COUNT,
        top=Part("handed_back"),
        better="less",
    ),
    Figure(
        slug="flow",
        name=_("Moves between teams"),
        definition=_("How many times a ticket went from one team to another, in any way."),
        unit=COUNT,
        top=Part("hop"),
    ),
    Figure(
        slug="policy-steps",
        name=_("Steps of policies"),
        definition=_(
            "How many times a step of a policy was carried out; those that found nobody or were"
            " skipped do not count."
        ),
        unit=COUNT,
        top=Part("policy_step"),
    ),
)
