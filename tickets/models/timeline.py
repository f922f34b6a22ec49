"""The timeline's rows: append-only facts in a hash chain, and their erasable bodies."""

from typing import Any

import orjson
from django.db import models


class EventKind(models.TextChoices):
    OPENED = "opened", "Opened"
    TRIAGED = "triaged", "Triaged"
    MOVED = "moved", "Moved to a team"
    TAKEN = "taken", "Taken"
    ASSIGNED = "assigned", "Assigned"
    RELEASED = "released", "Released"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    UNACKNOWLEDGED = "unacknowledged", "Acknowledgement withdrawn"
    COMMENTED = "commented", "Commented"
    CHASED = "chased", "Chased by the requester"
    PENDED = "pended", "Put on hold"
    RESUMED = "resumed", "Resumed"
    RESOLVED = "resolved", "Resolved"
    REOPENED = "reopened", "Reopened"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"
    PRIORITISED = "prioritised", "Priority changed"
    OWNED = "owned", "Owner changed"
    WATCHED = "watched", "Watchers changed"
    LINKED = "linked", "Linked"
    INVOLVED = "involved", "Involved"
    RESTRICTED = "restricted", "Restricted"
    ALERTED = "alerted", "Alert"
    TARGETED = "targeted", "Targets set"
    BREACHED = "breached", "Target missed"
    ESCALATED = "escalated", "Escalated"
    ACCEPTED = "accepted", "Accepted"
    HANDED_BACK = "handed_back", "Handed back"
    RUN_STARTED = "run_started", "Policy started"
    RUN_STOPPED = "run_stopped", "Policy stopped"
    FIRED = "fired", "Policy step fired"
    SKIPPED = "skipped", "Policy step skipped"
    RUN_HELD = "run_held", "Policy held"
    RUN_RELEASED = "run_released", "Policy released"
    SNOOZED = "snoozed", "Snoozed"
    STEP_CALLED = "step_called", "Policy step called"
    MERGED = "merged", "Merged"
    ADOPTED = "adopted", "Adopted"
    UNRESTRICTED = "unrestricted", "Restriction lifted"
    CLEARED = "cleared", "Clearance changed"
    GLASS_BROKEN = "glass_broken", "Opened in an emergency"
    NOTICE_OWED = "notice_owed", "Regulatory notice owed"
    NOTICE_GIVEN = "notice_given", "Regulatory notice given"
    MAJOR_PROPOSED = "major_proposed", "Major incident proposed"
    MAJOR_REJECTED = "major_rejected", "Major incident rejected"
    MAJOR_DECLARED = "major_declared", "Major incident declared"
    MAJOR_STAFFED = "major_staffed", "Major incident roles named"
    MAJOR_UPDATED = "major_updated", "Stakeholders updated"
    ROOM_OPENED = "room_opened", "Chat room opened"
    ROOM_FILLED = "room_filled", "People asked into the chat room"
    DECIDED = "decided", "Decision kept"
    MAJOR_DEMOTED = "major_demoted", "Major incident demoted"
    VENDOR_ENGAGED = "vendor_engaged", "Vendor engaged"
    VENDOR_RESPONDED = "vendor_responded", "Vendor responded"
    VENDOR_DELIVERED = "vendor_delivered", "Vendor delivered"
    VENDOR_RELEASED = "vendor_released", "Vendor released"
    CHANGE_PLANNED = "change_planned", "Change planned"
    CHANGE_APPROVED = "change_approved", "Change approved"
    CHANGE_REJECTED = "change_rejected", "Change rejected"
    CHANGE_ENDED = "change_ended", "Change ended"
    DIAGNOSED = "diagnosed", "Problem diagnosed"
    ARTICLE_USED = "article_used", "Solved by an article"
    CHECKED = "checked", "Checklist ticked"
    RATED = "rated", "Rated by the requester"
    FILE_ERASED = "file_erased", "File erased"
    HANDOVER_RATED = "handover_rated", "Escalation rated"
    REVIEWED = "reviewed", "Review"


class TimelineEvent(models.Model):
    """One thing that happened to one ticket; the database refuses to change or delete it.

    `canonical` is the very text that was hashed; the columns beside it repeat parts of it so that
    they can be queried, and `manage.py verify_timeline` compares them.
    """

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="events", db_index=False
    )
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=EventKind)
    # No foreign key: an append-only row outlives whatever it names.
    actor_id = models.BigIntegerField(null=True)
    is_public = models.BooleanField(default=False)
    canonical = models.TextField()
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["ticket_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "seq"], name="event_seq_once_per_ticket"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="event_seq_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}#{self.seq} {self.kind}"

    @property
    def facts(self) -> dict[str, Any]:
        """The event's facts, as stored: `set` and `was` hold changed ticket fields."""
        loaded: dict[str, Any] = orjson.loads(self.canonical)["facts"]
        return loaded

    @property
    def via(self) -> str:
        """By which way it was done: `web`, `api`, `mail`, `chat`, `engine` and the like."""
        return str(orjson.loads(self.canonical)["via"])

    @property
    def cause(self) -> str:
        """The name under which messages know this event."""
        return f"event:{self.pk}"


class EventBody(models.Model):
    """The words of an event: the only part of the timeline that may be erased."""

    event = models.OneToOneField(
        TimelineEvent, on_delete=models.CASCADE, primary_key=True, related_name="body"
    )
    salt = models.CharField(max_length=32)
    text = models.TextField()

    class Meta:
        verbose_name_plural = "event bodies"

    def __str__(self) -> str:
        return self.text[:60]
