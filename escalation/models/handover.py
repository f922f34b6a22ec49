"""Escalations: each passing of a ticket, or call for authority, as a record of its own."""

from django.conf import settings
from django.db import models


class Escalation(models.Model):
    """One escalation: from whom to whom, why, what was tried, and what became of it."""

    class Type(models.TextChoices):
        FUNCTIONAL = "functional", "Functional: to more skill"
        HIERARCHICAL = "hierarchical", "Hierarchical: to more authority"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        HANDED_BACK = "handed_back", "Handed back"
        COMPLETED = "completed", "Completed"

    class Reason(models.TextChoices):
        SKILL = "skill", "Needs other skill"
        TIME = "time", "Time is running out"
        ACCESS = "access", "Needs access we lack"
        AUTHORITY = "authority", "Needs a decision"
        IMPACT = "impact", "Impact has grown"
        POLICY = "policy", "Policy"

    class HandBackReason(models.TextChoices):
        WRONG_TEAM = "wrong_team", "Not our field"
        INCOMPLETE = "incomplete", "Information is missing"
        SOLVABLE = "solvable", "Can be solved at your tier"
        DUPLICATE = "duplicate", "Already known"

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="escalations"
    )
    type = models.CharField(max_length=12, choices=Type)
    # Each is asked for by ticket or by time: an index for every key would cost more than the row.
    from_team = models.ForeignKey(
        "roles.Team", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_team = models.ForeignKey(
        "roles.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    to_people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    trigger = models.CharField(max_length=24, help_text="manual, or the step's trigger.")
    firing = models.ForeignKey(
        "escalation.Firing",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    entry = models.PositiveIntegerField(help_text="The team entry that it began.")
    from_entry = models.PositiveIntegerField(help_text="The sender's entry, to hand back to.")
    reason_code = models.CharField(max_length=12, choices=Reason)
    reason = models.TextField(blank=True)
    tried = models.TextField(blank=True)
    impact = models.TextField(blank=True)
    # What the receiver's contract asked for: the answers by slug, and what was skipped in a hurry
    # or never given because a policy moved the ticket: [{"slug", "name"}], emptied when it is paid.
    answers = models.JSONField(default=dict, blank=True)
    owed = models.JSONField(default=list, blank=True)
    owed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    clock_reading = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    hand_back_code = models.CharField(max_length=12, choices=HandBackReason, blank=True)
    hand_back_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "entry"],
                condition=models.Q(type="functional"),
                name="escalation_one_per_entry",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="handed_back") | ~models.Q(hand_back_code=""),
                name="escalation_hand_back_has_code",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="accepted") | models.Q(accepted_at__isnull=False),
                name="escalation_accepted_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(owed=[]) | models.Q(owed_at__isnull=False, settled_at=None),
                name="escalation_owed_since",
            ),
        ]
        indexes = [
            models.Index(fields=["opened_at"], name="escalation_by_time"),
            # What has been escalated to us, of every queue.
            # With the entry, so that queues find a team's tickets in it without reading the rows.
            models.Index(
                fields=["to_team", "ticket", "entry"],
                condition=models.Q(state__in=["accepted", "open"]),
                name="escalation_present_by_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.from_team_id} to {self.to_team_id} ({self.state})"
