"""Changes: what is to be done to the service, who approved it, how it ended, and who waits."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Change(models.Model):
    """The plan of one change, beside its ticket, and the decision on it."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        IMPLEMENTED = "implemented", "Implemented"
        FAILED = "failed", "Failed"
        BACKED_OUT = "backed_out", "Backed out"

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.PROTECT, primary_key=True, related_name="change"
    )
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    plan = models.TextField(help_text="What is done, step by step.")
    test = models.TextField(blank=True, help_text="How one sees that it works.")
    back_out = models.TextField(blank=True, help_text="How it is undone.")
    window_from = models.DateTimeField(null=True, blank=True)
    window_until = models.DateTimeField(null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who wrote the present wording.",
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-ticket_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | (~Q(decided_by=F("author")) & ~Q(decided_by=F("submitted_by"))),
                name="change_not_decided_by_author",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "submitted"], decided_at__isnull=True)
                | Q(
                    state__in=["approved", "rejected", "implemented", "failed", "backed_out"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="change_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["implemented", "failed", "backed_out"], ended_at__isnull=False
                )
                | (
                    ~Q(state__in=["implemented", "failed", "backed_out"]) & Q(ended_at__isnull=True)
                ),
                name="change_ended_has_time",
            ),
            models.CheckConstraint(
                condition=Q(window_from__isnull=True, window_until__isnull=True)
                | Q(window_from__isnull=False, window_until__gt=F("window_from")),
                name="change_window_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | (~Q(plan="") & ~Q(test="") & ~Q(back_out="")),
                name="change_complete_once_submitted",
            ),
        ]

    def __str__(self) -> str:
        return f"change {self.ticket_id} ({self.state})"

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


class ChangeWait(models.Model):
    """One ticket on hold for one change.

    It holds while the ticket is pending under the very `status_entry` that it names; however the
    ticket comes to be resumed, the row then says nothing any more.
    """

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.CASCADE, primary_key=True, related_name="waits_for"
    )
    change = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="awaited_by"
    )
    status_entry = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(ticket=F("change")), name="change_wait_not_for_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} waits for {self.change_id}"
