"""Hands the manager's front page to the admin's index template."""

from typing import Any

from django.contrib import admin
from django.template import Library

from config.front_page import FrontPage, front_page
from roles.admin.audited import may

register = Library()


@register.simple_tag(takes_context=True)
def figures_for_reader(context: dict[str, Any]) -> FrontPage | None:
    """The front page's figures; None for somebody who may not see them."""
    request = context["request"]
    return front_page(admin.site, request) if may(request, "see_dashboard") else None
