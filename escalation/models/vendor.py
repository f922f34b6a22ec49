"""Vendors: with whom there is a contract, and what they were engaged for."""

from django.conf import settings
from django.db import models


class Vendor(models.Model):
    """Somebody outside who repairs or delivers under a contract of their own."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120, unique=True)
    contract = models.CharField(max_length=120, blank=True, help_text="Number of the contract.")
    terms = models.TextField(blank=True, help_text="What it covers, and what it does not.")
    team = models.OneToOneField(
        "roles.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="vendor",
        help_text="The team on the vendor's tier that stands for it, if there is one.",
    )
    calendar = models.ForeignKey(
        "roles.Calendar",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The hours in which the contract counts. Empty: always.",
    )
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    url = models.URLField(blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Engagement(models.Model):
    """One call on a vendor for one ticket, from the engaging to the release."""

    class State(models.TextChoices):
        ENGAGED = "engaged", "Engaged"
        RESPONDED = "responded", "Responded"
        DELIVERED = "delivered", "Delivered"
        RELEASED = "released", "Released"

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="engagements"
    )
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="engagements")
    reference = models.CharField(max_length=120, blank=True, help_text="The vendor's own number.")
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ENGAGED)
    engaged_at = models.DateTimeField()
    engaged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    responded_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=models.Q(ended_at__isnull=True),
                name="engagement_one_open_per_ticket",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} for {self.ticket_id} ({self.state})"
