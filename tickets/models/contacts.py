"""Whom a scenario concerns, and the words kept ready for telling them how it goes."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Scenario(models.TextChoices):
    OUTAGE = "outage", "Outage"
    SECURITY = "security", "Security"
    VENDOR = "vendor", "Vendor"


class Phase(models.TextChoices):
    """How far the work on a major incident has come, as stakeholders are told."""

    INVESTIGATING = "investigating", "Looking for the cause"
    IDENTIFIED = "identified", "Cause known"
    WORKING = "working", "Still working on it"
    FIXING = "fixing", "Being put right"
    WATCHING = "watching", "Watching whether it holds"


class ContactList(models.Model):
    """Who is to be called or told in a scenario: of one team, or of the whole service."""

    name = models.CharField(max_length=120)
    scenario = models.CharField(max_length=8, choices=Scenario)
    team = models.ForeignKey(
        "roles.Team",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="contact_lists",
        help_text="Whose list it is; empty: everybody's.",
    )
    services = models.ManyToManyField(
        "tickets.Service", blank=True, related_name="+", help_text="Empty: all services."
    )
    severity = models.PositiveSmallIntegerField(
        default=3, help_text="Told of majors of this severity or a graver one; 3 is all of them."
    )
    advice = models.TextField(max_length=2000, blank=True, help_text="When to call, and what for.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["scenario", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "scenario", "name"],
                nulls_distinct=False,
                name="contact_list_once",
                violation_error_message="There is a list of this name already.",
            ),
            models.CheckConstraint(
                condition=Q(scenario__in=Scenario.values) & ~Q(name=""), name="contact_list_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__range=(1, 3)), name="contact_list_severity_1_to_3"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """One person on a list, and as what."""

    listed = models.ForeignKey(ContactList, on_delete=models.CASCADE, related_name="contacts")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="listed_in"
    )
    part = models.CharField("as", max_length=120, blank=True, help_text="Such as shop owner.")

    class Meta:
        ordering = ["listed", "id"]
        constraints = [models.UniqueConstraint(fields=["listed", "person"], name="contact_once")]

    def __str__(self) -> str:
        return f"{self.person} on {self.listed}"


class UpdateText(models.Model):
    """The site's own words for telling stakeholders that a phase has begun, in one language."""

    phase = models.CharField(max_length=13, choices=Phase)
    language = models.CharField(max_length=10, default="en")
    service = models.ForeignKey(
        "tickets.Service",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: for all services.",
    )
    text = models.TextField(
        max_length=2000,
        help_text="{service}, {key}, {since} and {next} are filled in when it is taken.",
    )

    class Meta:
        ordering = ["phase", "language", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["phase", "language", "service"],
                nulls_distinct=False,
                name="update_text_once",
                violation_error_message="There are words for this already.",
            ),
            models.CheckConstraint(
                condition=Q(phase__in=Phase.values) & ~Q(text="") & ~Q(language=""),
                name="update_text_filled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_phase_display()} ({self.language})"
