"""The tables of the tickets floor."""

from tickets.models.alerts import Alert, AlertSource
from tickets.models.catalog import Category, Route, Service, ServiceSubscriber
from tickets.models.changes import Change, ChangeWait
from tickets.models.contacts import Contact, ContactList, Phase, Scenario, UpdateText
from tickets.models.desk import BulkAct, SavedView
from tickets.models.feed import FeedEntry, FeedMark
from tickets.models.feedback import Feedback
from tickets.models.incidents import Involvement, Major
from tickets.models.intake import (
    AlertEntry,
    AlertRule,
    ChangeNotice,
    IntakeRequest,
    Maintenance,
    Pulse,
)
from tickets.models.knowledge import (
    Article,
    ArticleRevision,
    ArticleUse,
    ArticleVote,
    ChecklistMark,
    Deflection,
)
from tickets.models.mail import MailSource, ReceivedMail
from tickets.models.problems import Problem, Straggler
from tickets.models.restriction import Clearance, Lifting, Notice
from tickets.models.ticket import (
    Kind,
    Origin,
    Source,
    Ticket,
    TicketLink,
    TicketQuerySet,
    Watcher,
)
from tickets.models.timeline import EventBody, EventKind, TimelineEvent
from tickets.models.words import TicketWords
from tickets.models.writing import Attachment, CannedText, Draft

__all__ = [
    "Alert",
    "AlertEntry",
    "AlertRule",
    "AlertSource",
    "Article",
    "ArticleRevision",
    "ArticleUse",
    "ArticleVote",
    "Attachment",
    "BulkAct",
    "CannedText",
    "Category",
    "Change",
    "ChangeNotice",
    "ChangeWait",
    "ChecklistMark",
    "Clearance",
    "Contact",
    "ContactList",
    "Deflection",
    "Draft",
    "EventBody",
    "EventKind",
    "FeedEntry",
    "FeedMark",
    "Feedback",
    "IntakeRequest",
    "Involvement",
    "Kind",
    "Lifting",
    "MailSource",
    "Maintenance",
    "Major",
    "Notice",
    "Origin",
    "Phase",
    "Problem",
    "Pulse",
    "ReceivedMail",
    "Route",
    "SavedView",
    "Scenario",
    "Service",
    "ServiceSubscriber",
    "Source",
    "Straggler",
    "Ticket",
    "TicketLink",
    "TicketQuerySet",
    "TicketWords",
    "TimelineEvent",
    "UpdateText",
    "Watcher",
]
