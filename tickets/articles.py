"""Writes articles: drafted by anybody who works here, published by who answers for it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django_fsm import TransitionNotAllowed

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import knowledge, states
from tickets.acting import acting, fitting, required
from tickets.models import (
    Article,
    ArticleRevision,
    ArticleUse,
    ArticleVote,
    Category,
    Deflection,
    EventKind,
    Service,
    Ticket,
)
from tickets.models.knowledge import ITEM_MAX, TITLE_MAX

BODY_MAX: Final = 50_000
ITEMS_MAX: Final = 60


def draft_article(
    *,
    actor: Person | None,
    title: str,
    body: str,
    audience: str = Article.Audience.INTERNAL,
    items: Sequence[str] = (),
    keywords: str = "",
    steps: Sequence[str] = (),
    services: Iterable[Service] = (),
    categories: Iterable[Category] = (),
    source: Ticket | None = None,
    clock: TimeSource = database_now,
) -> Article:
    """A new draft, which only people of the service see. Raises Forbidden and Invalid."""
    require(actor, "draft_knowledge")
    if source is not None:
        _require_telling(source)
    given = _wording(title, body, audience, items, keywords=keywords, steps=steps)
    with transaction.atomic():
        article = Article.objects.create(**given, author=actor, source=source, changed_at=clock())
        article.services.set(services)
        article.categories.set(categories)
        return article


@transaction.atomic
def edit_article(
    *,
    article: Article,
    actor: Person | None,
    title: str,
    body: str,
    audience: str,
    items: Sequence[str] = (),
    keywords: str = "",
    steps: Sequence[str] = (),
    services: Iterable[Service] = (),
    categories: Iterable[Category] = (),
    clock: TimeSource = database_now,
) -> Article:
    """The working draft in other words; what is published stays until it is published anew."""
    require(actor, "draft_knowledge")
    given = _wording(title, body, audience, items, keywords=keywords, steps=steps)
    locked = _lock(article)
    for name, value in given.items():
        setattr(locked, name, value)
    locked.changed_at = clock()
    locked.save(update_fields=[*given, "changed_at"])
    locked.services.set(services)
    locked.categories.set(categories)
    return locked


@transaction.atomic
def publish_article(
    *, article: Article, actor: Person | None, note: str = "", clock: TimeSource = database_now
) -> ArticleRevision:
    """Publish the working draft as a new revision, which nobody can change afterwards.

    Raises Forbidden, and Conflict when nothing has changed since the last one.
    """
    require(actor, "publish_knowledge")
    locked = _lock(article)
    if locked.is_published and not differs(locked):
        raise Conflict("unchanged", "Nothing has changed since it was published.")
    last = locked.revisions.aggregate(last=Max("number"))["last"] or 0
    revision = ArticleRevision.objects.create(
        article=locked,
        number=last + 1,
        **_published_wording(locked),
        published_at=clock(),
        published_by=actor,
        note=fitting(note.strip(), "note", 300),
    )
    locked.current = revision
    locked.publish()
    locked.save(update_fields=["current", "state"])
    audit.record(
        actor=actor,
        action="article.published",
        subject=locked,
        changes={"revision": revision.number, "audience": revision.audience},
        reason=revision.note,
        clock=clock,
    )
    return revision


@transaction.atomic
def retire_article(
    *, article: Article, actor: Person | None, reason: str = "", clock: TimeSource = database_now
) -> Article:
    """Show the article to nobody any more; its revisions stay. Raises Forbidden and Conflict."""
    require(actor, "publish_knowledge")
    locked = _lock(article)
    try:
        locked.retire()
    except TransitionNotAllowed:
        raise Conflict("retired", "This article is retired already.") from None
    locked.save(update_fields=["state"])
    audit.record(
        actor=actor, action="article.retired", subject=locked, reason=reason.strip(), clock=clock
    )
    return locked


def differs(article: Article) -> bool:
    """Whether the working draft says anything else than what is published."""
    current = article.current
    wording = _published_wording(article)
    return current is None or any(getattr(current, name) != wording[name] for name in wording)


def draft_from(ticket: Ticket) -> dict[str, Any]:
    """What an article made of a resolution begins with.

    Raises Invalid when the ticket is restricted or has no resolution yet.
    """
    _require_telling(ticket)
    return {
        "title": ticket.subject[:TITLE_MAX],
        "body": f"## Symptom\n\n{ticket.description.strip() or ticket.subject}\n\n"
        f"## What helps\n\n{ticket.resolution.strip()}\n",
        "services": [ticket.service_id] if ticket.service_id else [],
        "categories": [ticket.category_id] if ticket.category_id else [],
    }


# ---- What it was good for ------------------------------------------------------------------------


@transaction.atomic
def vote(
    *, article: Article, person: Person, helpful: bool, clock: TimeSource = database_now
) -> ArticleVote:
    """Note whether the article helped this person; a second word replaces the first.

    Raises Forbidden when the person may not read it.
    """
    _require_readable(article, person)
    made, _ = ArticleVote.objects.update_or_create(
        article=article, person=person, defaults={"helpful": helpful, "at": clock()}
    )
    return made


@transaction.atomic
def spare(*, article: Article, person: Person, clock: TimeSource = database_now) -> Deflection:
    """Note that the article made a ticket needless; it counts as helpful too, once a day."""
    vote(article=article, person=person, helpful=True, clock=clock)
    now = clock()
    made, _ = Deflection.objects.get_or_create(
        article=article, person=person, day=now.date(), defaults={"at": now}
    )
    return made


def use_article(
    *,
    ticket: Ticket,
    article: Article,
    actor: Person,
    clock: TimeSource = database_now,
    via: str = "web",
) -> ArticleUse:
    """Note that the article solved the ticket, on its timeline. Raises Conflict the second time."""
    with acting(ticket, actor=actor, action="use_article", clock=clock, via=via) as act:
        _require_readable(article, actor)
        made, is_new = ArticleUse.objects.get_or_create(
            article=article, ticket=act.ticket, defaults={"by": actor, "at": act.now}
        )
        if not is_new:
            raise Conflict("noted", "It is noted already that this article solved it.")
        act.record(EventKind.ARTICLE_USED, facts={"article": article.pk, "title": article.title})
        return made


# ---- What is asked of a draft --------------------------------------------------------------------


def _wording(
    title: str,
    body: str,
    audience: str,
    items: Sequence[str],
    *,
    keywords: str,
    steps: Sequence[str],
) -> dict[str, Any]:
    if audience not in Article.Audience.values:
        raise Invalid("unknown_audience", "Say who may read it.", {"audience": "Choose one."})
    if len(items) > ITEMS_MAX:
        few = f"At most {ITEMS_MAX} steps."
        raise Invalid("too_many", "The checklist is too long.", {"items": few})
    return {
        "title": required(title, "title", TITLE_MAX),
        "body": required(body, "body", BODY_MAX),
        "audience": audience,
        "items": [required(item, "items", ITEM_MAX) for item in items],
        "keywords": fitting(keywords.strip(), "keywords", 300),
        "steps": [fitting(step.strip(), "steps", 250) for step in steps if step.strip()],
    }


def _published_wording(article: Article) -> Mapping[str, Any]:
    names = ("title", "body", "items", "keywords", "audience")
    return {name: getattr(article, name) for name in names}


def _lock(article: Article) -> Article:
    return Article.objects.select_for_update(of=("self",)).get(pk=article.pk)


def _require_telling(ticket: Ticket) -> None:
    if ticket.restricted:
        raise Invalid("restricted", "A restricted case is not written about.")
    if ticket.status not in (states.RESOLVED, states.CLOSED) or not ticket.resolution.strip():
        raise Invalid("unresolved", f"{ticket.key} has no resolution to write about yet.")


def _require_readable(article: Article, person: Person) -> None:
    if not knowledge.readable(person).filter(pk=article.pk).exists():
        raise Forbidden("not_readable", "You may not read this article.")
