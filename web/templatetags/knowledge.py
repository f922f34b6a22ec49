"""Marks of the knowledge pages."""

from django import template

from tickets.knowledge import excerpt

register = template.Library()


@register.filter
def plain_words(body: str) -> str:
    """The first words of a Markdown text, without its marks."""
    return excerpt(body)
