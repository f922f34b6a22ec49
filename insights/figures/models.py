"""Facts of tickets as the figures count them, and their sums by day; all can be rebuilt."""

from django.conf import settings
from django.db import models

from roles.zones import validate_zone


class Folded(models.Model):
    """Up to which event a ticket has been counted, and as what.

    The columns beside `seq` are what its facts were added to the sums under.
    """

    ticket = models.OneToOneField(
        "tickets.Ticket", on_delete=models.CASCADE, primary_key=True, related_name="folded"
    )
    seq = models.PositiveIntegerField()
    restricted = models.BooleanField(default=False)
    kind = models.CharField(max_length=12)
    priority = models.PositiveSmallIntegerField()
    service = models.BigIntegerField(default=0)
    category = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "folded tickets"
        indexes = [
            models.Index(
                fields=["ticket"], condition=models.Q(restricted=True), name="folded_restricted"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} up to {self.seq}"


class Point(models.Model):
    """One fact of one ticket: a cycle, a hop, a solution, a page. 0 stands for "none".

    `n` counts, `total` and `work` add up what is measured: whole seconds as a rule, of the calendar
    and of working hours.
    """

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="+")
    measure = models.CharField(max_length=16)
    day = models.DateField(help_text="In the zone whose days are counted.")
    team = models.BigIntegerField(default=0)
    other = models.BigIntegerField(default=0)
    tag = models.CharField(max_length=24, blank=True)
    n = models.IntegerField(default=1)
    total = models.BigIntegerField(default=0)
    work = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["measure", "day"], name="point_by_day")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.measure} {self.day}"


class DayTotal(models.Model):
    """The sum of the facts of one day under one key, restricted tickets left out.

    `grain` says which parts of the key are filled: by whom, of what, or all of them.
    """

    class Grain(models.TextChoices):
        WHO = "who", "By team"
        WHAT = "what", "By subject"
        CUBE = "cube", "By everything"

    grain = models.CharField(max_length=4, choices=Grain)
    measure = models.CharField(max_length=16)
    day = models.DateField(help_text="In the zone whose days are counted.")
    team = models.BigIntegerField(default=0)
    other = models.BigIntegerField(default=0)
    tag = models.CharField(max_length=24, blank=True)
    kind = models.CharField(max_length=12, blank=True)
    priority = models.PositiveSmallIntegerField(default=0)
    service = models.BigIntegerField(default=0)
    category = models.BigIntegerField(default=0)
    n = models.BigIntegerField()
    total = models.BigIntegerField()
    work = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("grain", "measure", "day", "team", "other", "tag"),
                    *("kind", "priority", "service", "category"),
                ],
                name="day_total_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.grain} {self.measure} {self.day}: {self.n}"


class FoldMark(models.Model):
    """How far the counting has come: one row."""

    settled = models.BigIntegerField(
        help_text="Every event up to this one has been seen, or never will be."
    )
    newest = models.BigIntegerField(help_text="The newest event at that moment.")
    noted_at = models.DateTimeField()
    swept_at = models.DateTimeField(
        null=True, blank=True, help_text="When all tickets were last compared with what is counted."
    )
    zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_zone],
        help_text="Whose midnight parts the days; another one takes counting all anew.",
    )

    def __str__(self) -> str:
        return f"up to {self.settled}"


class BoardMail(models.Model):
    """A dashboard that somebody has sent to themself, every day or every week."""

    class Form(models.TextChoices):
        HTML = "html", "In the mail"
        PDF = "pdf", "As PDF"

    class Every(models.TextChoices):
        DAY = "day", "Every day"
        WEEK = "week", "Every Monday"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="board_mails"
    )
    board = models.CharField(max_length=24)
    words = models.JSONField(default=dict, blank=True, help_text="Filters, as in the address.")
    days = models.PositiveSmallIntegerField(help_text="How many days it looks back.")
    every = models.CharField(max_length=4, choices=Every)
    form = models.CharField(max_length=4, choices=Form, default=Form.HTML)
    hour = models.PositiveSmallIntegerField(help_text="By the person's own clock.")
    next_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(hour__lte=23), name="board_mail_hour_of_the_day"
            ),
            models.CheckConstraint(
                condition=models.Q(every__in=["day", "week"]), name="board_mail_every_known"
            ),
            models.CheckConstraint(
                condition=models.Q(form__in=["html", "pdf"]), name="board_mail_form_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.board} to {self.person} every {self.every}"
