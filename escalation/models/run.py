"""Runs and firings: one climb of one ticket, and each step it took, exactly once."""

from django.db import models


class Run(models.Model):
    """One climb of one ticket under one policy revision."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        STOPPED = "stopped", "Stopped"
        SUPERSEDED = "superseded", "Superseded"
        DONE = "done", "Ended by its own rule"

    class Hold(models.TextChoices):
        SNOOZED = "snoozed", "Snoozed"
        MAJOR = "major", "Part of a major incident"

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    # Climbs under a policy are asked for by its revisions.
    policy = models.ForeignKey(
        "escalation.Policy", on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    revision = models.ForeignKey(
        "escalation.PolicyRevision", on_delete=models.PROTECT, related_name="runs"
    )
    is_main = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=120, blank=True)
    matched_on = models.JSONField(default=dict, help_text="The facts under which it was chosen.")
    # The waiting that "unacknowledged" steps measure: it restarts at each team entry and each loop.
    # `rung` is the highest one done in this loop, `base_position` where the loop began. `round`
    # counts how often the ladder has begun in this entry; a loop begins too where an
    # acknowledgement lapses or a step is called. `lead_s` is what this loop waits before it begins.
    loop = models.PositiveIntegerField(default=1)
    entry = models.PositiveIntegerField(default=1)
    waiting_since = models.DateTimeField()
    frozen = models.JSONField(default=list)
    rung = models.PositiveSmallIntegerField(default=0)
    base_position = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveIntegerField(default=1)
    lead_s = models.PositiveIntegerField(default=0)
    was_acknowledged = models.BooleanField(default=False)
    # When one of us last did anything here, and which event that was; kept for "silent" steps.
    heard_at = models.DateTimeField(null=True, blank=True)
    heard_entry = models.PositiveIntegerField(default=0)
    # By step id: which time its fact holds, since when, whether it still does, and what was seen.
    reached = models.JSONField(default=dict)
    # By "loop:step:entry": until when that firing is put off because nobody was there. In a list
    # of one the moment holds no longer: the ticket has changed, and the step is judged anew.
    postponed = models.JSONField(default=dict)
    held = models.CharField(max_length=8, choices=Hold, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    held_because = models.CharField(max_length=250, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    # The step that comes then: an index for the watch that nothing falls silent.
    next_step = models.ForeignKey(
        "escalation.PolicyStep",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    # What was done under the revision that the climb was moved from, in this one's steps:
    # [loop, step, entry, outcome]. It counts as done here too.
    carried = models.JSONField(default=list, blank=True)
    # Counts every committed evaluation; a writer that read an older one is fenced off.
    epoch = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "policy"],
                condition=models.Q(state="active"),
                name="run_one_open_per_policy",
            ),
            models.UniqueConstraint(
                fields=["ticket"],
                condition=models.Q(state="active", is_main=True),
                name="run_one_main_per_ticket",
            ),
            models.CheckConstraint(
                condition=models.Q(state="active", stopped_at__isnull=True)
                | ~models.Q(state="active") & models.Q(stopped_at__isnull=False),
                name="run_stopped_has_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(held="snoozed") | models.Q(held_until__isnull=False),
                name="run_snoozed_has_end",
            ),
            models.CheckConstraint(condition=models.Q(round__gte=1), name="run_round_from_one"),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=models.Q(state="active", next_at__isnull=False),
                name="run_due",
            ),
            models.Index(fields=["ticket", "-id"], name="run_by_ticket"),
            models.Index(
                fields=["ticket"],
                condition=models.Q(state="active", held="major"),
                name="run_held_by_major",
            ),
            models.Index(
                fields=["ticket"],
                condition=models.Q(
                    state="active", held="", next_at__isnull=False, next_step__isnull=True
                ),
                name="run_step_unknown",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} under {self.revision_id}"


class Firing(models.Model):
    """One execution (or recorded skip) of one step; the key makes a second one impossible.

    `loop` is 0 for steps that judge a clock or a status: they stand outside the repeating round.
    `entry` is the clock cycle, team entry or status entry that the step judged.
    """

    class Outcome(models.TextChoices):
        FIRED = "fired", "Fired"
        EMPTY = "empty", "Nobody to tell"
        SKIPPED = "skipped", "Skipped"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="firings", db_index=False)
    step = models.ForeignKey(
        "escalation.PolicyStep", on_delete=models.PROTECT, related_name="firings", db_index=False
    )
    loop = models.PositiveIntegerField()
    entry = models.PositiveIntegerField()
    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="firings", db_index=False
    )
    outcome = models.CharField(max_length=8, choices=Outcome)
    # The team entry (where it was handed back, the one returned to) that a move has ended.
    left_entry = models.PositiveIntegerField(null=True, blank=True)
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    explain = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "loop", "step", "entry"], name="firing_exactly_once"
            ),
            models.CheckConstraint(
                condition=models.Q(fired_at__gte=models.F("due_at")), name="firing_never_early"
            ),
        ]
        indexes = [
            models.Index(fields=["ticket", "-id"], name="firing_by_ticket"),
            models.Index(fields=["fired_at"], name="firing_by_time"),
        ]

    def __str__(self) -> str:
        return f"run {self.run_id} step {self.step_id} ({self.outcome})"

    @property
    def cause(self) -> str:
        """The name under which messages know this firing."""
        return f"firing:{self.id}"


class Quarantine(models.Model):
    """A ticket whose evaluation raised; after three tries it is left out until released."""

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.CASCADE, primary_key=True, related_name="quarantine"
    )
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    last_tried_at = models.DateTimeField()
    since = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.last_error}"


class Recount(models.Model):
    """A ticket whose climbs are to say anew when they come next: hours that they count by changed.

    Without a moment it is looked at at once, and then once more at `look_at`, because a batch that
    was under way may still have gone by the old hours.
    """

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    look_at = models.DateTimeField(null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.ticket_id} at {self.look_at}"


class Heartbeat(models.Model):
    """When a loop last finished a pass, by the database's clock."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    oldest_due_s = models.FloatField(
        default=0, help_text="Seconds by which the oldest due step was late at that pass."
    )

    def __str__(self) -> str:
        return self.name


class Silence(models.Model):
    """One span in which nothing would have happened by itself on an urgent ticket.

    The fallback is told once for each; it ends when something is to come again.
    """

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="silences")
    since = models.DateTimeField()
    reason = models.CharField(max_length=500)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=models.Q(ended_at__isnull=True),
                name="silence_one_open_per_ticket",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.reason}"

    @property
    def cause(self) -> str:
        """The name under which the alarm's messages know it."""
        return f"alarm:silent:{self.pk}"
