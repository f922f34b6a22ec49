"""What the pages keep of their own: forms that are done once however often they are sent."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SentForm(models.Model):
    """A form that was sent: the same one sent again leads to what the first sending made."""

    token = models.UUIDField(primary_key=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    onward = models.CharField(max_length=300)
    sent_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["sent_at"], name="sent_form_by_time")]

    def __str__(self) -> str:
        return str(self.token)
