"""What is known: articles with published revisions, and what they were good for."""

from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django_fsm import transition

from tickets.models.status import ProtectedStatusModel, StatusField

TITLE_MAX: Final = 200
ITEM_MAX: Final = 300


class Article(ProtectedStatusModel):
    """Something worth knowing; its own columns are the working draft, `current` is what is read."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        RETIRED = "retired", "Retired"

    class Audience(models.TextChoices):
        PUBLIC = "public", "Everybody, on the portal"
        INTERNAL = "internal", "People of the service only"

    state = StatusField(max_length=10, choices=State, default=State.DRAFT, protected=True)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.INTERNAL)
    title = models.CharField(max_length=TITLE_MAX)
    body = models.TextField(help_text="Markdown.")
    items = ArrayField(
        models.CharField(max_length=ITEM_MAX),
        default=list,
        blank=True,
        help_text="The checklist of a runbook, one step an item; empty for an ordinary article.",
    )
    keywords = models.CharField(
        max_length=300, blank=True, help_text="Other words that people use for it."
    )
    services = models.ManyToManyField("tickets.Service", blank=True, related_name="articles")
    categories = models.ManyToManyField("tickets.Category", blank=True, related_name="articles")
    steps = ArrayField(
        models.CharField(max_length=250),
        default=list,
        blank=True,
        help_text="Policy steps at which the runbook is shown, each as POLICY: NAME OF THE STEP.",
    )
    source = models.ForeignKey(
        "tickets.Ticket",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The ticket whose resolution it was made from.",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()
    current = models.OneToOneField(
        "tickets.ArticleRevision",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="current_of",
    )

    class Meta:
        ordering = ["title", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "published", "retired"]),
                name="article_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(current__isnull=False),
                name="article_published_has_revision",
            ),
            models.CheckConstraint(
                condition=Q(audience__in=["public", "internal"]), name="article_audience_known"
            ),
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(body=""), name="article_says_something"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_published(self) -> bool:
        return self.state == self.State.PUBLISHED

    @transition(field=state, source="*", target=State.PUBLISHED)
    def publish(self) -> None:
        """Its newest revision is read from now on."""

    @transition(field=state, source=[State.DRAFT, State.PUBLISHED], target=State.RETIRED)
    def retire(self) -> None:
        """Nobody is shown it any more."""


class ArticleRevision(models.Model):
    """One published wording; the database refuses to change or delete it."""

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=TITLE_MAX)
    body = models.TextField()
    items = ArrayField(models.CharField(max_length=ITEM_MAX), default=list, blank=True)
    keywords = models.CharField(max_length=300, blank=True)
    audience = models.CharField(max_length=8, choices=Article.Audience)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField("what changed", max_length=300, blank=True)
    words = models.GeneratedField(
        expression=SearchVector("title", "keywords", weight="A", config="english")
        + SearchVector("body", weight="C", config="english")
        + SearchVector("title", "keywords", weight="A", config="german")
        + SearchVector("body", weight="C", config="german"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["article", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["article", "number"], name="article_revision_once"),
        ]
        indexes = [GinIndex(fields=["words"], name="article_words")]

    def __str__(self) -> str:
        return f"{self.title}, revision {self.number}"


class ArticleVote(models.Model):
    """One person's word on whether an article helped; it can be changed."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="votes")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    helpful = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["article", "person"], name="article_vote_once")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.article_id}: {'yes' if self.helpful else 'no'}"


class ArticleUse(models.Model):
    """An article that solved a ticket."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="uses")
    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="articles_used"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["article", "ticket"], name="article_use_once")
        ]

    def __str__(self) -> str:
        return f"{self.article_id} solved {self.ticket_id}"


class Deflection(models.Model):
    """Somebody was about to open a ticket, and an article made it needless."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="deflections")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField(help_text="Counted once a day for each person and article.")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["article", "person", "day"], name="deflection_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.article_id} helped {self.person_id} on {self.day}"


class ChecklistMark(models.Model):
    """One step of a runbook that has been done on one ticket."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="marks")
    revision = models.ForeignKey(ArticleRevision, on_delete=models.PROTECT, related_name="+")
    item = models.PositiveSmallIntegerField(help_text="Which step, counted from 0.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["ticket", "revision", "item"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "revision", "item"], name="checklist_mark_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: step {self.item} of {self.revision_id}"
