"""What is known: articles, drafted, published and retired, and what may help with a text."""

from typing import Any, Final

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Whole
from api.rest.catalog import BY_NUMBER, PersonRef
from api.rest.references import CategoryName, ServiceName, TicketKey
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.subject import PK, Deed, Look, Subject
from api.rest.views import read_params
from roles.models import Person
from roles.models.tokens import Scope
from roles.people import is_allowed
from roles.refusals import Invalid
from tickets import articles, knowledge
from tickets.models import Article, ArticleRevision, Ticket

BODY_MAX: Final = 100_000


class WordingView(serializers.ModelSerializer):
    """One published wording; `items` are the steps of a runbook."""

    class Meta:
        model = ArticleRevision
        fields = (
            *("id", "number", "title", "body", "items", "keywords", "audience"),
            *("published_at", "note"),
        )
        read_only_fields = fields


class ArticleView(serializers.ModelSerializer):
    """An article with the wording that is read; null before it is published."""

    author = PersonRef(read_only=True, allow_null=True)
    current = WordingView(read_only=True, allow_null=True)
    services: Any = serializers.SlugRelatedField("slug", read_only=True, many=True)
    categories: Any = serializers.SlugRelatedField("slug", read_only=True, many=True)
    helped = serializers.IntegerField(source="yes", read_only=True)
    helped_not = serializers.IntegerField(source="no", read_only=True)
    used = serializers.IntegerField(read_only=True)

    class Meta:
        model = Article
        fields: tuple[str, ...] = (
            *("id", "state", "author", "changed_at", "services", "categories", "current"),
            *("helped", "helped_not", "used"),
        )
        read_only_fields = fields


class DraftView(serializers.ModelSerializer):
    """The working draft of an article."""

    class Meta:
        model = Article
        fields = ("title", "body", "audience", "items", "keywords", "steps")
        read_only_fields = fields


class ArticleDetail(ArticleView):
    """An article; those who write it see its working draft too."""

    draft = serializers.SerializerMethodField()

    class Meta(ArticleView.Meta):
        fields = (*ArticleView.Meta.fields, "draft")
        read_only_fields = fields

    @extend_schema_field(DraftView(allow_null=True))
    def get_draft(self, article: Article) -> Any:
        """The working draft; null for readers."""
        writes = is_allowed(self.context["request"].user, "draft_knowledge")
        return DraftView(article).data if writes else None


class Writing(StrictSerializer):
    """The working draft. `items` make a runbook of it, shown at the `steps` of policies named."""

    title = Text(max_length=200)
    body = Text(max_length=BODY_MAX, help_text="Markdown.")
    audience = serializers.ChoiceField(Article.Audience.choices)
    items = serializers.ListField(child=Text(max_length=300), required=False)
    keywords = Text(max_length=300, required=False, allow_blank=True)
    steps = serializers.ListField(child=Text(max_length=250), required=False)
    services = serializers.ListField(child=ServiceName(), required=False)
    categories = serializers.ListField(child=CategoryName(), required=False)


class NewArticle(Writing):
    """A new article; from a ticket's resolution, if one is named."""

    title = Text(max_length=200, required=False)
    body = Text(max_length=BODY_MAX, required=False, help_text="Markdown.")
    audience = serializers.ChoiceField(Article.Audience.choices, required=False)
    source: Any = TicketKey(required=False, allow_null=True)


class Noting(StrictSerializer):
    """What changed."""

    note = Text(max_length=300, required=False, allow_blank=True)


class Retiring(StrictSerializer):
    """Why nobody is shown it any more."""

    reason = Text(max_length=500, required=False, allow_blank=True)


class Voting(StrictSerializer):
    """Whether it helped; `spared` says that it made a request needless."""

    helpful = serializers.BooleanField()
    spared = serializers.BooleanField(required=False, default=False)


def _draft(*, actor: Person, source: Ticket | None = None, **given: Any) -> Article:
    if source is not None:
        told = articles.draft_from(source)
        given = {"title": told["title"], "body": told["body"], **given}
    if missing := [name for name in ("title", "body") if not given.get(name)]:
        raise Invalid("missing", "Say what it is about.", dict.fromkeys(missing, "Fill this in."))
    return articles.draft_article(actor=actor, source=source, **given)


def _edit(*, article: Article, actor: Person, **given: Any) -> Article:
    names = ("title", "body", "audience", "items", "keywords", "steps")
    kept: dict[str, Any] = {name: getattr(article, name) for name in names}
    kept["services"], kept["categories"] = article.services.all(), article.categories.all()
    return articles.edit_article(article=article, actor=actor, **{**kept, **given})


def _vote(*, article: Article, actor: Person, helpful: bool, spared: bool) -> object:
    if spared:
        return articles.spare(article=article, person=actor)
    return articles.vote(article=article, person=actor, helpful=helpful)


def _rows(reader: Person) -> Any:
    found = Article.objects.select_related("author", "current")
    if not is_allowed(reader, "draft_knowledge"):
        found = found.filter(pk__in=knowledge.readable(reader).values("pk"))
    return knowledge.with_figures(found).prefetch_related("services", "categories")


class ArticleFilters(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search", max_length=200, label="Words in it.")
    state = django_filters.ChoiceFilter(choices=Article.State.choices)
    service = django_filters.CharFilter(field_name="services__slug", label="Slug of a service.")

    class Meta:
        model = Article
        fields: list[str] = []

    def search(self, rows: QuerySet[Article], name: str, value: str) -> QuerySet[Article]:
        """Published articles in which any of the words stands."""
        found = knowledge.search(self.request.user, value)
        return rows.filter(Q(pk__in=found.order_by().values("pk")))


def _revisions(article: Article, reader: Person) -> Any:
    return article.revisions.order_by("-number")


SUBJECTS: Final = (
    Subject(
        slug="articles",
        summary="Articles and runbooks that the reader may read.",
        view=ArticleView,
        one=ArticleDetail,
        by=PK,
        rows=_rows,
        orders={"-id": BY_NUMBER["-id"], "id": BY_NUMBER["id"]},
        filters=ArticleFilters,
        is_called="article",
        write_scope=Scope.KNOWLEDGE_WRITE,
        make=Deed(
            summary="Draft an article.",
            perform=_draft,
            body=NewArticle,
            needs="draft_knowledge",
            status=201,
        ),
        change=Deed(
            summary="Write the draft anew; what is published stays.",
            perform=_edit,
            body=Writing,
            needs="draft_knowledge",
        ),
        deeds=(
            Deed(
                slug="publish",
                summary="Publish the draft as a new revision.",
                perform=articles.publish_article,
                body=Noting,
                needs="publish_knowledge",
            ),
            Deed(
                slug="retire",
                summary="Show it to nobody any more.",
                perform=articles.retire_article,
                body=Retiring,
                needs="publish_knowledge",
            ),
            Deed(slug="vote", summary="Say whether it helped.", perform=_vote, body=Voting),
        ),
        looks=(
            Look(
                slug="revisions",
                summary="Every published wording, newest first.",
                read=_revisions,
                answer=WordingView,
                needs="draft_knowledge",
            ),
        ),
    ),
)


class SuggestionView(serializers.Serializer):
    """Something that may help: an article by its number, or a known error by its ticket's key."""

    kind = serializers.CharField()
    title = serializers.CharField()
    excerpt = serializers.CharField()
    article = serializers.IntegerField(source="article_id", allow_null=True)
    key = serializers.CharField()


class SuggestionAsking(StrictSerializer):
    """What it is about."""

    text = Text(max_length=2000)
    service = ServiceName(required=False)


class Suggestions(Resource):
    read_scope = Scope.CATALOG_READ
    serializer_class = SuggestionView
    queryset = Article.objects.none()
    pagination_class = Whole

    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What may be asked."""
        return ("fields", *SuggestionAsking().fields)

    @extend_schema(
        operation_id="suggestions_list",
        parameters=[SuggestionAsking],
        responses=SuggestionView(many=True),
    )
    def get(self, request: Request) -> Response:
        """What may help with a text, best first."""
        asked = read_params(self, SuggestionAsking)
        found = knowledge.suggest(request.user, asked["text"], service=asked.get("service"))
        return Response({"results": self.show(found, many=True), "next": None, "previous": None})
