"""What people write with: texts kept ready, drafts not sent yet, and files that go with words."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q


class CannedText(models.Model):
    """A text that is written often, kept ready for a team or for everybody who answers."""

    team = models.ForeignKey(
        "roles.Team",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="canned_texts",
        help_text="Whose text it is; empty: everybody's.",
    )
    name = models.CharField(max_length=80, help_text="By this it is found after typing ::")
    text = models.TextField(
        max_length=10_000,
        help_text="{requester}, {key}, {team} and {agent} are filled in when it is used.",
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "name"],
                name="canned_name_once",
                nulls_distinct=False,
                violation_error_message="There is a text of this name already.",
            ),
            models.CheckConstraint(condition=~Q(name="") & ~Q(text=""), name="canned_filled"),
        ]

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """What somebody has begun to write on a ticket and not sent; nobody else reads it."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="drafts")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    text = models.TextField(max_length=20_000)
    is_public = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "person"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.ticket_id}"


def place_of(attachment: "Attachment", name: str) -> str:
    """Where an upload is kept: under a name that nobody chose and nobody can guess."""
    token = secrets.token_hex(20)
    return f"attachments/{token[:2]}/{token}"


class Attachment(models.Model):
    """One file, uploaded for a reply or a note; until that is sent, `event` is empty."""

    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.PROTECT, related_name="attachments"
    )
    event = models.ForeignKey(
        "tickets.TimelineEvent",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="attachments",
    )
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="uploads"
    )
    name = models.CharField(max_length=200)
    media_type = models.CharField(
        max_length=40, help_text="An image's, proven by its first bytes, or none in particular."
    )
    size = models.PositiveIntegerField(help_text="In bytes.")
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=place_of, max_length=120)
    added_at = models.DateTimeField()
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then its bytes are gone; the timeline says why."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(size__gt=0) & Q(sha256__regex=r"^[0-9a-f]{64}$") & ~Q(name=""),
                name="attachment_known_by_its_bytes",
            ),
        ]
        indexes = [
            models.Index(
                fields=["uploader", "added_at"],
                condition=Q(event__isnull=True),
                name="attachment_unsent",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        """Whether it may be shown on a page."""
        return self.media_type.startswith("image/")
