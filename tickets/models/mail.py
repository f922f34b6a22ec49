"""What came by mail: the addresses that take it in, and every mail as it came, with its outcome."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class MailSource(models.Model):
    """One address at which mail comes in: where its tickets go, and what strangers may do."""

    class Unknown(models.TextChoices):
        HOLD = "hold", "Hold it for a person"
        GUEST = "guest", "Open a ticket in the name of a guest"
        REFUSE = "refuse", "Refuse it, and keep it with the reason"

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    address = models.EmailField(unique=True, help_text="To which people write.")
    key_prefix = models.CharField(max_length=12, unique=True)
    key_digest = models.CharField(max_length=64, unique=True)
    team = models.ForeignKey(
        "roles.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Which team gets its tickets; empty: as the service says.",
    )
    service = models.ForeignKey(
        "tickets.Service", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    unknown = models.CharField(
        "strangers",
        max_length=6,
        choices=Unknown,
        default=Unknown.HOLD,
        help_text="What becomes of mail from an address that nobody here has.",
    )
    monitor = models.ForeignKey(
        "tickets.AlertSource",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where mails of Nagios, Icinga and monit go as alerts; empty: they are mail.",
    )
    hourly_limit = models.PositiveSmallIntegerField(
        default=60, help_text="More mails than this from one sender within an hour are held."
    )
    is_active = models.BooleanField(default=True)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    uid_validity = models.BigIntegerField(null=True, blank=True, editable=False)
    last_uid = models.BigIntegerField(default=0, editable=False)
    polled_at = models.DateTimeField(null=True, blank=True, editable=False)
    trouble = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unknown__in=["hold", "guest", "refuse"]), name="mailsource_policy_known"
            ),
            models.CheckConstraint(condition=~Q(address=""), name="mailsource_has_address"),
        ]

    def __str__(self) -> str:
        return self.name


class ReceivedMail(models.Model):
    """One mail as it came, for good, and what became of it; known by its Message-ID."""

    class Outcome(models.TextChoices):
        OPENED = "opened", "Opened a ticket"
        COMMENTED = "commented", "Became a reply or a note"
        ALERTED = "alerted", "Was a monitor's alert"
        BOUNCED = "bounced", "Told that a message came back"
        IGNORED = "ignored", "Written by a machine, kept only"
        HELD = "held", "Waits for a person"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Could not be read or taken in"

    source = models.ForeignKey(MailSource, on_delete=models.PROTECT, related_name="mails")
    identity = models.CharField(max_length=64, unique=True, editable=False)
    message_id = models.CharField(max_length=500, blank=True)
    sender = models.CharField(max_length=320, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    raw = models.BinaryField()
    size = models.PositiveIntegerField(help_text="In bytes, as it came.")
    text = models.TextField(blank=True, help_text="What was written.")
    rest = models.TextField(blank=True, help_text="Quoted text and signature, shown folded.")
    html = models.TextField(blank=True, help_text="As it came; cleaned whenever it is shown.")
    via = models.CharField(max_length=8, help_text="imap, http or pipe")
    uid_validity = models.BigIntegerField(null=True, blank=True)
    uid = models.BigIntegerField(null=True, blank=True)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.CharField(max_length=500, blank=True)
    settled_at = models.DateTimeField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who is taken to have written it.",
    )
    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, null=True, blank=True, related_name="mails"
    )
    about = models.ForeignKey(
        "notifications.Message",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The message of ours that it answers or speaks of.",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        *("opened", "commented", "alerted", "bounced"),
                        *("ignored", "held", "refused", "failed"),
                    ]
                ),
                name="receivedmail_outcome_known",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["opened", "commented"]) | Q(ticket__isnull=False),
                name="receivedmail_told_on_a_ticket",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["held", "refused", "failed", "ignored"]) | ~Q(reason=""),
                name="receivedmail_untold_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["sender", "-received_at"], name="receivedmail_by_sender"),
            models.Index(fields=["outcome", "-id"], name="receivedmail_by_outcome"),
        ]

    def __str__(self) -> str:
        return self.subject or self.message_id or self.identity[:12]
