"""API tokens: stored as a digest, limited by scopes and time."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Scope(models.TextChoices):
    """What a token may be used for; the person's own rights still apply."""

    TICKETS_READ = "tickets:read", "Read tickets"
    TICKETS_WRITE = "tickets:write", "Open tickets and act on them"
    CATALOG_READ = "catalog:read", "Read teams, services, schedules, policies and articles"
    KNOWLEDGE_WRITE = "knowledge:write", "Write articles"
    ROSTER_WRITE = "roster:write", "Change who is on call"
    ADMIN_READ = "admin:read", "Read configuration and the audit"
    ADMIN_WRITE = "admin:write", "Change configuration, people, tokens and webhooks"


class ApiToken(models.Model):
    """A key to the API on behalf of one person. The secret itself is never stored."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens"
    )
    name = models.CharField(max_length=200, help_text="Where it is used.")
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope.choices))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values) & ~models.Q(scopes=[]),
                name="roles_apitoken_scopes_known",
                violation_error_message="Choose at least one known scope.",
            ),
            models.CheckConstraint(
                condition=models.Q(digest__regex="^[0-9a-f]{64}$"),
                name="roles_apitoken_digest_sha256",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (tl_{self.prefix}_…)"
