"""What the machines' door remembers: answers to requests that may be sent twice."""

from django.conf import settings
from django.db import models


class IdempotencyKey(models.Model):
    """One answered POST, under the name that its sender gave it; kept for a day."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    token = models.ForeignKey(
        "roles.ApiToken", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "token", "key"],
                nulls_distinct=False,
                name="idempotency_key_once_per_caller",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_by_age")]

    def __str__(self) -> str:
        return self.key
