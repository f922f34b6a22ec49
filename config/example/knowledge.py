"""Puts the example's articles on the shelf, with what people have said of them and of tickets."""

import re
from datetime import timedelta
from typing import Final

from config.example.shelf import ARTICLES, Text
from roles.instants import TimeSource, fixed
from roles.models import Person
from tickets.articles import draft_article, publish_article, spare, use_article, vote
from tickets.feedback import rate
from tickets.models import Article, Category, Service, Ticket
from tickets.runbooks import tick

AGE: Final = timedelta(days=40)
SOLVED: Final = (
    ("Your password has expired, or you have forgotten it", "I cannot sign in after my leave"),
    ("The printer prints blank or grey pages", "Printer on floor 3 prints blank pages"),
    ("Order gateway: 502 at payment", "No order gets through: error 502 at payment"),
)
MARKS: Final = (
    ("I cannot sign in after my leave", 5, "Quick, and explained to me so that I understood it."),
    (
        "No order gets through: error 502 at payment",
        4,
        "Good news every quarter of an hour. Thanks.",
    ),
    ("Printer on floor 3 prints blank pages", 5, ""),
)
RUNBOOK: Final = "Patient portal is slow: what to look at first"
UNDER_WAY: Final = "Patient portal: laboratory results open very slowly"


def fill_shelf(*, clock: TimeSource) -> None:
    """Make the articles on a site that has none; what people made of them is kept otherwise."""
    if Article.objects.exists():
        return
    people = {row.username: row for row in Person.objects.all()}
    services = {row.slug: row for row in Service.objects.all()}
    categories = {row.slug: row for row in Category.objects.all()}
    then = fixed(clock() - AGE)
    for text in ARTICLES:
        made = draft_article(
            actor=people[text.author],
            title=text.title,
            body=unwrapped(text.body),
            audience=text.audience,
            items=text.items,
            keywords=text.keywords,
            steps=text.steps,
            services=[services[slug] for slug in text.services],
            categories=[categories[slug] for slug in text.categories],
            clock=then,
        )
        publish_article(article=made, actor=None, clock=then)
        _judge(made, text, people, clock)


def unwrapped(body: str) -> str:
    """The text with each paragraph and each item of a list on one line."""
    return re.sub(r"(?<!\n)\n *(?!\n|- |\d+\. )", " ", body)


def _judge(article: Article, text: Text, people: dict[str, Person], clock: TimeSource) -> None:
    lately = fixed(clock() - AGE / 4)
    for username in text.helped:
        spare(article=article, person=people[username], clock=lately)
    for username in text.not_helped:
        vote(article=article, person=people[username], helpful=False, clock=lately)


def say_how_it_was(*, clock: TimeSource) -> None:
    """Marks of requesters, articles that solved tickets, and a runbook half done."""
    articles = {row.title: row for row in Article.objects.select_related("current")}
    tickets = {row.subject: row for row in Ticket.objects.filter(restricted=False)}
    for title, subject in SOLVED:
        ticket = tickets[subject]
        by = Person.objects.get(pk=ticket.events.get(kind="resolved").actor_id)
        use_article(ticket=ticket, article=articles[title], actor=by, clock=clock)
    for subject, score, comment in MARKS:
        ticket = tickets[subject]
        rate(ticket=ticket, actor=ticket.requester, score=score, comment=comment, clock=clock)
    revision, hugo = articles[RUNBOOK].current, Person.objects.get(username="hugo")
    assert revision is not None
    for item in range(2):
        tick(
            ticket=tickets[UNDER_WAY],
            revision=revision,
            item=item,
            done=True,
            actor=hugo,
            clock=clock,
        )
