"""Need to know: who reads a restricted case, who lifts that, what a regulator is owed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class ClearancesInForce(models.Manager["Clearance"]):
    """Only clearances that hold at this moment, so that no reader can forget to ask."""

    def get_queryset(self) -> models.QuerySet["Clearance"]:
        return super().get_queryset().filter(Q(until=None) | Q(until__gt=Now()))


class Clearance(models.Model):
    """One person's need to know one restricted ticket; `until` ends an emergency's own.

    `objects` (and `ticket.clearances`) know those in force only; `every` knows the lapsed ones too,
    which the engine takes away with a word on the timeline.
    """

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="clearances"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="clearances"
    )
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)

    objects = ClearancesInForce()
    every = models.Manager()  # noqa: DJ012 (a manager, too)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "person"], name="clearance_once"),
        ]
        indexes = [
            models.Index(
                fields=["until"], condition=Q(until__isnull=False), name="clearance_by_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} may see {self.ticket_id}"


class Lifting(models.Model):
    """A proposal to lift a ticket's restriction; it takes a second person to carry it out."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="liftings")
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField()
    proposed_at = models.DateTimeField()
    confirmer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(confirmed_at__isnull=True),
                name="lifting_one_open_per_ticket",
            ),
            models.CheckConstraint(
                condition=Q(confirmer__isnull=True) | ~Q(confirmer=models.F("proposer")),
                name="lifting_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(confirmer__isnull=True, confirmed_at__isnull=True)
                | Q(confirmer__isnull=False, confirmed_at__isnull=False),
                name="lifting_confirmed_has_both",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="lifting_has_reason"),
        ]

    def __str__(self) -> str:
        return f"Lifting the restriction of {self.ticket_id}"


class Notice(models.Model):
    """What one authority must be told of one ticket, and whether it has been."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="notices")
    authority = models.CharField(max_length=200)
    since = models.DateTimeField(help_text="When it became known: the time allowed runs from here.")
    owed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    given_at = models.DateTimeField(null=True, blank=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reference = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "authority"], name="notice_once"),
            models.CheckConstraint(condition=~Q(authority=""), name="notice_has_authority"),
        ]

    def __str__(self) -> str:
        return f"{self.authority} about {self.ticket_id}"
