"""The words of tickets as the search looks for them; written by the database itself."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class TicketWords(models.Model):
    """The words of one text of a ticket: of the ticket itself (`event_id` null) or of an event.

    Triggers keep these rows true, whoever writes the texts; an erased text takes its words along.
    A text of its own each, so that a long story is not indexed anew with every remark.
    """

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="+")
    event_id = models.BigIntegerField(null=True, unique=True)
    is_public = models.BooleanField()
    words = SearchVectorField()

    class Meta:
        verbose_name_plural = "ticket words"
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=models.Q(event_id__isnull=True),
                name="ticket_words_once_of_itself",
            )
        ]
        indexes = [
            # What waits to be merged into the index is read from end to end by every search.
            GinIndex(fields=["words"], name="ticket_words", gin_pending_list_limit=1024)
        ]

    def __str__(self) -> str:
        return f"words of {self.ticket_id}"
