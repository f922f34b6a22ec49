"""AuditEntry: who changed people or configuration, when and why; append-only."""

from django.db import models


class AuditEntry(models.Model):
    """One administrative act. The database refuses to change, delete or truncate it.

    Actor and subject are plain ids without foreign keys, so that the history needs nothing else
    to stand and stops nothing else from going.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True, help_text="Empty: the system itself.")
    action = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=80)
    subject_id = models.CharField(max_length=80)
    subject = models.CharField(max_length=300, help_text="The subject's name at that time.")
    changes = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-id"], name="roles_audit_subject"),
            models.Index(fields=["actor_id", "-id"], name="roles_audit_actor"),
            models.Index(fields=["-at"], name="roles_audit_at"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(action=""), name="roles_audit_has_action")
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
