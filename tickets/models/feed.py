"""The feed: every event of the service in the order in which it was committed."""

from django.db import models


class FeedEntry(models.Model):
    """The place of one event in the feed; who reads it can go on after any of them.

    Events are numbered before their transactions end, and so not in the order in which they become
    visible. One writer at a time lines them up here, so that nobody who resumes misses one.
    """

    event = models.OneToOneField(
        "tickets.TimelineEvent", on_delete=models.CASCADE, related_name="feed_entry"
    )
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.pk}: {self.event_id}"


class FeedMark(models.Model):
    """How far the feed has come: one row."""

    settled = models.BigIntegerField(
        help_text="Every event up to this one has been seen, or never will be."
    )
    newest = models.BigIntegerField(help_text="The newest event at that moment.")
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"up to {self.settled}"
