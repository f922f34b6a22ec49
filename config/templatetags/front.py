"""Hands the front page and the groups of pages to the admin's templates."""

from typing import Any

from django.contrib import admin
from django.db.models.options import Options
from django.template import Library

from config.admin_groups import GROUPS, Group, Words
from config.front_page import FrontPage, front_page
from roles.admin.audited import may

register = Library()


@register.simple_tag(takes_context=True)
def figures_for_reader(context: dict[str, Any]) -> FrontPage | None:
    """The front page's figures; None for somebody who may not see them."""
    request = context["request"]
    return front_page(admin.site, request) if may(request, "see_dashboard") else None


@register.simple_tag(takes_context=True)
def may_see_operations(context: dict[str, Any]) -> bool:
    """Whether the reader may open the operations page."""
    return may(context["request"], "see_audit")


@register.simple_tag(takes_context=True)
def may_see_history(context: dict[str, Any]) -> bool:
    """Whether the reader may see who changed what."""
    return may(context["request"], "see_audit")


@register.simple_tag
def group_of(opts: "Options[Any]") -> Group | None:
    """The group that a model's pages belong to."""
    return next((group for group in GROUPS if opts.label in group.pages), None)


@register.simple_tag
def purpose_of(opts: "Options[Any]") -> Words:
    """What a model's pages are for; "" where nothing is said."""
    found = group_of(opts)
    return found.pages[opts.label] if found else ""
