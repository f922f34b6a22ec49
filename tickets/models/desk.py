"""What the desk keeps of its people: views of the queue, and what they did to many tickets."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now


class SavedView(models.Model):
    """The filters of a queue under a name of somebody's own, shared with a team perhaps."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1000, help_text="The query string of the queue.")
    team = models.ForeignKey(
        "roles.Team",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose members see it too.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "web_savedview"  # as it was first made: nothing is copied
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="saved_view_name_once_per_owner"),
            models.CheckConstraint(condition=~models.Q(name=""), name="saved_view_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class BulkAct(models.Model):
    """One act on many tickets at once: what was done to which, and how each stood before."""

    token = models.UUIDField(unique=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    act = models.CharField(max_length=20)
    done_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    # [{"ticket": id, "key", "before": {...}, "after": {...}}]
    done = models.JSONField(default=list)
    # [{"key", "why"}]
    refused = models.JSONField(default=list)

    class Meta:
        db_table = "web_bulkact"  # as it was first made: nothing is copied
        ordering = ["-id"]
        indexes = [models.Index(fields=["done_at"], name="bulk_act_by_time")]

    def __str__(self) -> str:
        return f"{self.act} by {self.actor_id}"
