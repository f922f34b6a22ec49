"""The record of a major incident: who proposed it, who leads it, and how it ended."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Major(models.Model):
    """One ticket's standing as a major incident; proposing it anew begins the record anew.

    What it was before stands on the timeline. `ticket.is_major` holds while it is accepted or
    resolved.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        DEMOTED = "demoted", "Demoted"
        RESOLVED = "resolved", "Resolved"

    class Severity(models.IntegerChoices):
        CRITICAL = 1, "1 Critical: the service is gone for many"
        SEVERE = 2, "2 Severe: an important part does not work"
        GRAVE = 3, "3 Grave: worse than usual, with a way round"

    ticket = models.OneToOneField("tickets.Ticket", on_delete=models.PROTECT, related_name="major")
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.SEVERE)
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty for a policy's own proposal.",
    )
    reason = models.TextField()
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="majors_led",
    )
    coordinator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    technical_lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    scribe = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    bridge_url = models.URLField("bridge", blank=True, help_text="Where people talk.")
    channel_url = models.URLField("chat channel", blank=True, help_text="Where people write.")

    chat_id = models.CharField(
        max_length=40, blank=True, editable=False, help_text="The room that was made in a chat."
    )

    last_update_at = models.DateTimeField(null=True, blank=True)
    next_update_at = models.DateTimeField(
        null=True, blank=True, help_text="When stakeholders have been promised the next word."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "accepted", "rejected", "demoted", "resolved"]),
                name="major_state_known",
            ),
            models.CheckConstraint(
                condition=Q(severity__range=(1, 3)), name="major_severity_1_to_3"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="major_has_reason"),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at__isnull=True)
                | Q(~Q(state="proposed"), decided_at__isnull=False),
                name="major_decided_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "resolved"]) | Q(manager__isnull=False),
                name="major_accepted_has_manager",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["demoted", "resolved"], ended_at__isnull=False)
                | Q(~Q(state__in=["demoted", "resolved"]), ended_at__isnull=True),
                name="major_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["ticket"], condition=Q(state="accepted"), name="major_under_way")
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.state} major incident"

    @property
    def severity_word(self) -> str:
        """The severity in one word, without what it means."""
        return self.Severity(self.severity).name.capitalize()

    @property
    def is_under_way(self) -> bool:
        return self.state == self.State.ACCEPTED

    @property
    def people(self) -> dict[str, int]:
        """The ids of those who hold a role in it, by the name of the role."""
        named = {
            "manager": self.manager_id,
            "coordinator": self.coordinator_id,
            "technical_lead": self.technical_lead_id,
            "scribe": self.scribe_id,
        }
        return {role: person_id for role, person_id in named.items() if person_id is not None}


class Involvement(models.Model):
    """Somebody pulled in to help on a ticket that stays where it is; over once `left_at` is set."""

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="involvements"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="involvements"
    )
    team_name = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "person"],
                condition=Q(left_at__isnull=True),
                name="involved_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gte=models.F("since")),
                name="involvement_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} helps on {self.ticket_id}"
