"""Makes a web process ready before it listens, so that its first reader does not wait for it."""

import logging
from pathlib import Path
from typing import Final

from django.conf import settings
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from web.icons import archive

log = logging.getLogger(__name__)

PAGES: Final = settings.BASE_DIR / "web" / "templates"


def warm_up() -> None:
    """Read the addresses, the pages' templates, the icons' archive and the languages.

    Nothing is asked of the database: whether that answers is no concern of starting.
    """
    try:
        reverse("web:queue")
    except NoReverseMatch:
        log.exception("warming: the addresses cannot be read")
    archive()
    for name in _names(PAGES):
        try:
            get_template(name)
        except (TemplateDoesNotExist, TemplateSyntaxError):
            log.exception("warming: %s cannot be read", name)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("Queue")


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))
