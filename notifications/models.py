"""What is kept of messages: how a person is reached, what is to be told, and each try at it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from notifications.sealed import SealedField

SECRET_CHANNELS = ("apprise", "push", "teams")
"""Over these an address is itself the right to write there."""


class Urgency(models.TextChoices):
    """How loudly a message must arrive; "high" sorts before "low", and the claim relies on it."""

    HIGH = "high", "High"
    LOW = "low", "Low"


class MessageState(models.TextChoices):
    """Where a message is; being sent is a lease on a queued row, never a state to be stuck in."""

    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    DROPPED = "dropped", "Dropped"
    DEAD = "dead", "Dead letter"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Outcome(models.TextChoices):
    """How one try ended; a try found still "started" after its lease was interrupted."""

    STARTED = "started", "Started"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed, to be tried again"
    REFUSED = "refused", "Refused for good"
    SKIPPED = "skipped", "Not sent"
    INTERRUPTED = "interrupted", "Interrupted, outcome unknown"


class ContactMethod(models.Model):
    """One address at which a person is reached over one channel."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contact_methods"
    )
    channel = models.CharField(max_length=20, default="email")
    address = SealedField(max_length=1000, only_for=("channel", SECRET_CHANNELS))
    verified_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    ended_because = models.CharField(
        "switched off because", max_length=300, blank=True, editable=False
    )
    digest = models.CharField(max_length=64, blank=True, editable=False)
    digest_at = models.DateTimeField(null=True, editable=False)
    guesses = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["person", "channel", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "channel", "address"], name="contact_method_once"
            ),
            models.CheckConstraint(
                condition=~Q(channel="") & ~Q(address=""), name="contact_method_filled"
            ),
        ]

    def __str__(self) -> str:
        """As lists and records name it, so without an address that is a right in itself."""
        return (
            self.channel if self.channel in SECRET_CHANNELS else f"{self.channel}: {self.address}"
        )


class Ways(models.Model):
    """How a person wants to be told: the hours in which low news waits, and who takes their pages.

    Somebody who wrote nothing down has no row, and is told by e-mail at once.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="ways"
    )
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    away_until = models.DateTimeField(null=True, blank=True)
    taker = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="takes_for",
    )

    class Meta:
        verbose_name_plural = "ways"
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="ways_quiet_hours_have_both_ends",
            ),
            # Nobody falls silent for pages without saying who takes them.
            models.CheckConstraint(
                condition=Q(away_until__isnull=True, taker__isnull=True)
                | Q(away_until__isnull=False, taker__isnull=False),
                name="ways_away_has_a_taker",
            ),
            models.CheckConstraint(
                condition=Q(taker__isnull=True) | ~Q(taker=F("person")),
                name="ways_taker_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"how {self.person} is told"


class ContactRule(models.Model):
    """One rung of a person's own ladder: over which channel, and how long after the first word."""

    ways = models.ForeignKey(Ways, on_delete=models.CASCADE, related_name="rules")
    urgency = models.CharField(max_length=4, choices=Urgency)
    channel = models.CharField(max_length=20)
    delay_s = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["ways", "urgency", "delay_s", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ways", "urgency", "channel"], name="contact_rule_once"
            ),
            models.CheckConstraint(
                condition=Q(urgency__in=Urgency.values), name="contact_rule_urgency_known"
            ),
            models.CheckConstraint(
                condition=~Q(channel="") & Q(delay_s__lte=3600), name="contact_rule_in_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.urgency}: {self.channel} after {self.delay_s} s"


class TeamRule(models.Model):
    """One rung of a team's ladder, for members who have written no rules of their own."""

    team = models.ForeignKey("roles.Team", on_delete=models.CASCADE, related_name="contact_rules")
    urgency = models.CharField(max_length=4, choices=Urgency)
    channel = models.CharField(max_length=20)
    delay_s = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["team", "urgency", "delay_s", "id"]
        constraints = [
            models.UniqueConstraint(fields=["team", "urgency", "channel"], name="team_rule_once"),
            models.CheckConstraint(
                condition=Q(urgency__in=Urgency.values), name="team_rule_urgency_known"
            ),
            models.CheckConstraint(
                condition=~Q(channel="") & Q(delay_s__lte=3600), name="team_rule_in_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.urgency}: {self.channel} after {self.delay_s} s"


class Hook(models.Model):
    """Another system that is called with signed events; its account stands for it in the outbox.

    The secret is derived from the site's key and `nonce`; it is kept nowhere.
    """

    class Shape(models.TextChoices):
        STANDARD = "standard", "Standard Webhooks"
        PAGERDUTY = "pagerduty", "PagerDuty V3"
        OPSGENIE = "opsgenie", "Opsgenie"

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    url = SealedField("address", max_length=500)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="hook", editable=False
    )
    nonce = models.CharField(max_length=32, editable=False)
    former_nonce = models.CharField(max_length=32, blank=True, editable=False)
    former_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then the former secret signs too."
    )
    is_active = models.BooleanField(default=True)
    ended_because = models.CharField("switched off because", max_length=300, blank=True)
    events = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        help_text="Types of events, such as ticket.opened, or ticket.* for all; empty: only"
        " policies call it.",
    )
    filters = models.JSONField(
        default=dict,
        blank=True,
        help_text='Which tickets: {"team": ["desk"], "priority": [1, 2]}; empty: all but'
        " restricted ones, which are told to nobody.",
    )
    shape = models.CharField("form", max_length=10, choices=Shape, default=Shape.STANDARD)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=~Q(url="") & ~Q(nonce=""), name="hook_filled"),
        ]

    def __str__(self) -> str:
        return self.name


class MessageText(models.Model):
    """The site's own words for one kind of message in one language, on one channel or on all."""

    kind = models.CharField(max_length=40, help_text="Such as page, received, replied, resolved.")
    channel = models.CharField(max_length=20, blank=True, help_text="Empty for all channels.")
    language = models.CharField(max_length=10, default="en")
    subject = models.CharField(max_length=300, blank=True, help_text="Empty to leave it as it is.")
    body = models.TextField(blank=True, help_text="Empty to leave it as it is.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["kind", "language", "channel"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "channel", "language"], name="message_text_once"
            ),
            models.CheckConstraint(
                condition=~Q(kind="") & ~Q(language=""), name="message_text_about_something"
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, self.channel, self.language)))


class Message(models.Model):
    """One intent to tell one person one thing over one channel: a row of the outbox."""

    key = models.CharField(max_length=36, unique=True, editable=False)
    topic = models.CharField(max_length=80)
    cause = models.CharField(max_length=120)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages"
    )
    channel = models.CharField(max_length=20, default="email")
    rung = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=40)
    urgency = models.CharField(max_length=4, choices=Urgency, default=Urgency.LOW)
    priority = models.PositiveSmallIntegerField(default=3)
    subject = models.TextField()
    body = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    clearance = models.CharField(max_length=80, blank=True)

    state = models.CharField(max_length=10, choices=MessageState, default=MessageState.QUEUED)
    not_before = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease_epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    finished_reason = models.TextField(blank=True)
    acted_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(
        null=True, blank=True, help_text="When its recipient, signed in, followed its link."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cause", "recipient", "channel", "rung"], name="message_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="message_state_known"
            ),
            models.CheckConstraint(
                condition=Q(urgency__in=Urgency.values), name="message_urgency_known"
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=5), name="message_priority_range"
            ),
            models.CheckConstraint(
                condition=~Q(topic="") & ~Q(cause="") & ~Q(channel="") & ~Q(kind=""),
                name="message_addressed",
            ),
            models.CheckConstraint(
                condition=Q(state="queued", finished_at__isnull=True)
                | (~Q(state="queued") & Q(finished_at__isnull=False)),
                name="message_finished_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sent"]) | ~Q(finished_reason=""),
                name="message_unsent_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False),
                name="message_sent_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state="queued") | Q(leased_until__isnull=True),
                name="message_lease_only_queued",
            ),
            models.CheckConstraint(
                condition=Q(not_before__isnull=True) | Q(next_attempt_at__gte=F("not_before")),
                name="message_never_early",
            ),
        ]
        indexes = [
            # The claim reads only what is still to be sent, most urgent first, so that its cost
            # follows the backlog and not the millions of rows already done.
            models.Index(
                fields=["urgency", "priority", "next_attempt_at"],
                condition=Q(state="queued"),
                name="message_to_send",
            ),
            models.Index(fields=["topic", "-id"], name="message_by_topic"),
            models.Index(fields=["-id"], condition=Q(state="dead"), name="message_dead_letters"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Attempt(models.Model):
    """One try at one message; its number is the lease epoch under which it was made."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.STARTED)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["message", "number"]
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="attempt_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="attempt_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome="started", finished_at__isnull=True)
                | (~Q(outcome="started") & Q(finished_at__isnull=False)),
                name="attempt_finished_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"try {self.number}: {self.outcome}"


class SenderHeartbeat(models.Model):
    """When a sender last made progress; a stale row means that nobody is sending."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S %Z}"
