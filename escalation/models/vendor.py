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
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="vendor",
        help_text="Stands for the vendor where messages name a recipient.",
    )
    url = models.CharField(max_length=200, blank=True, help_text="Where its portal is.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class VendorContact(models.Model):
    """Whom to reach at a vendor; the lowest level is called first, higher ones when it is late."""

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="contacts")
    level = models.PositiveSmallIntegerField(
        default=1, help_text="1 is who takes the call; higher levels are for complaints."
    )
    role = models.CharField(max_length=120, help_text="Such as service desk, or duty manager.")
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["vendor", "level", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(email="") | ~models.Q(phone=""),
                name="vendor_contact_can_be_reached",
                violation_error_message="A contact needs an e-mail address or a phone number.",
            ),
            models.CheckConstraint(
                condition=models.Q(level__range=(1, 9)), name="vendor_contact_level_1_to_9"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level}. {self.role}"


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
    entry = models.PositiveIntegerField(
        default=0, help_text="The team entry in which the vendor was engaged."
    )
    by_move = models.BooleanField(
        default=False, help_text="Engaged because the ticket came into the vendor's team."
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
            models.CheckConstraint(
                condition=models.Q(state__in=["engaged", "responded"], ended_at__isnull=True)
                | models.Q(state__in=["delivered", "released"], ended_at__isnull=False),
                name="engagement_ended_has_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="responded") | models.Q(responded_at__isnull=False),
                name="engagement_answer_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(responded_at__isnull=True)
                | models.Q(responded_at__gte=models.F("engaged_at")),
                name="engagement_answered_after_engaging",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} for {self.ticket_id} ({self.state})"
