"""The admin's pages by what an administrator comes to do, each with a line on what it is for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True)
class Group:
    """One heading of the front page; `pages` maps a model's label to what its page is for."""

    slug: str
    label: Words
    pages: Mapping[str, Words]


GROUPS: Final = (
    Group(
        "people",
        _("People and teams"),
        {
            "roles.Person": _("Accounts of colleagues, requesters and programs"),
            "roles.Organisation": _("Customer groups, and whether they see each other's tickets"),
            "roles.Tier": _("The rungs of the ladder and the lanes beside it"),
            "roles.Team": _("Who works on which tier, under which hours, led by whom"),
            "roles.Membership": _("Who is in which team, and as what"),
            "roles.Duty": _("Duties across teams, such as incident manager"),
            "roles.DutyAssignment": _("Who holds which duty"),
            "roles.ApiToken": _("Keys for programs; shown once, revoked at once"),
        },
    ),
    Group(
        "hours",
        _("Hours and on call"),
        {
            "roles.Calendar": _("Working hours, public holidays and own days off"),
            "roles.Schedule": _("Who is on call for a team, in layers"),
            "roles.Override": _("Stand-ins for some hours"),
            "roles.Swap": _("Shifts that people offer each other"),
            "roles.CalendarLink": _("Private addresses of on-call calendars"),
            "roles.CalendarRevision": _("Every state that a calendar ever had"),
            "roles.ScheduleRevision": _("Every state that a schedule ever had"),
        },
    ),
    Group(
        "policies",
        _("Policies and routes"),
        {
            "escalation.Policy": _("When whom is told, and when work moves on"),
            "escalation.PolicyRevision": _("Drafts and every published wording"),
            "escalation.Target": _("How long each clock may take, for which tickets"),
            "escalation.TargetRevision": _("Every wording that a target ever had"),
            "tickets.Service": _("What support is given for, and who owns it"),
            "tickets.Category": _("What tickets are about"),
            "tickets.Route": _("Which team of a tier works on what"),
            "escalation.HandoverContract": _("What a team asks for before it takes work"),
            "escalation.Vendor": _("Contracts, contacts and hours of vendors"),
            "insights.Simulation": _("Policies played over this site's own past"),
        },
    ),
    Group(
        "messages",
        _("Messages"),
        {
            "notifications.Message": _("The outbox: what was told to whom, and what failed"),
            "notifications.MessageText": _("The site's own words for messages"),
            "tickets.CannedText": _("Texts kept ready for replies"),
            "tickets.UpdateText": _("Words for the updates of major incidents"),
            "notifications.ContactMethod": _("Where people are reached"),
            "notifications.Hook": _("Other systems that are told of events"),
        },
    ),
    Group(
        "doors",
        _("Doors"),
        {
            "tickets.AlertSource": _("Senders of alerts, and their keys"),
            "tickets.AlertRule": _("What is done with which alerts"),
            "tickets.Pulse": _("Heartbeats that must keep coming"),
            "tickets.Maintenance": _("When alerts open no tickets"),
            "tickets.IntakeRequest": _("What senders sent, and what became of it"),
            "tickets.ChangeNotice": _("Changes that senders told of"),
            "tickets.MailSource": _("Addresses at which mail comes in"),
            "tickets.ReceivedMail": _("Mail as it came, and what became of it"),
        },
    ),
    Group(
        "work",
        _("Work"),
        {
            "tickets.Ticket": _("Every ticket that you may read"),
            "tickets.Problem": _("Causes behind repeats"),
            "tickets.Change": _("Plans, approvals and results"),
            "tickets.ChangeWait": _("Tickets on hold for a change"),
            "escalation.Engagement": _("Vendors at work on tickets"),
            "escalation.Escalation": _("Each passing on and each call for authority"),
            "tickets.Alert": _("What monitors have said"),
            "tickets.Article": _("Knowledge with its figures"),
            "tickets.Feedback": _("What requesters said of how it went"),
            "tickets.Clearance": _("Who may know of a restricted ticket"),
            "tickets.Watcher": _("Who follows which ticket"),
            "tickets.TicketLink": _("How tickets belong together"),
        },
    ),
    Group(
        "record",
        _("Record"),
        {
            "roles.AuditEntry": _("Who changed people or configuration, when and why"),
            "roles.Retention": _("How long mails, files, words and letters are kept"),
            "tickets.TimelineEvent": _("The only truth about tickets; it cannot be changed"),
            "tickets.EventBody": _("The words of events: all of it that may be erased"),
            "escalation.Clock": _("Each cycle of each clock, with its bill"),
            "escalation.Run": _("Tickets under way in a policy"),
            "escalation.Firing": _("Steps carried out or skipped, with reasons"),
            "escalation.Silence": _("Urgent tickets for which nothing was to come"),
            "escalation.Quarantine": _("Tickets that the engine could not evaluate"),
            "escalation.Heartbeat": _("When each loop last finished a pass"),
        },
    ),
)


def grouped(apps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What Django lists by application, by group instead; what no group names comes last.

    Each model gains `purpose`; each group has the members that Django's templates ask of an app.
    """
    models = {
        f"{app['app_label']}.{model['object_name']}": dict(model)
        for app in apps
        for model in app["models"]
    }
    found = []
    for group in GROUPS:
        listed = [
            {**models.pop(label), "purpose": purpose}
            for label, purpose in group.pages.items()
            if label in models
        ]
        found.append(_app(group.slug, group.label, listed))
    found.append(_app("more", _("More"), list(models.values())))
    return [app for app in found if app["models"]]


def _app(slug: str, label: Words, models: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": label,
        "app_label": slug,
        "app_url": f"#{slug}",
        "has_module_perms": True,
        "models": models,
    }
