"""How pages look to one reader: the language of the words and the theme, and where both are kept.

The language is the person's own; the theme belongs to the screen, so a cookie keeps it.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext_lazy as _

THEME_COOKIE = "theme"
YEAR_S = 365 * 24 * 3600
THEMES = (
    ("system", "monitor", _("System")),
    ("light", "sun", _("Light")),
    ("dark", "moon", _("Dark")),
)
THEME_NAMES = tuple(name for name, _icon, _label in THEMES)
CODES = tuple(code for code, _name in settings.LANGUAGES)


def theme_of(request: HttpRequest) -> str:
    """The theme chosen on this screen; "system" when none was."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEME_NAMES else THEME_NAMES[0]


def language_of(request: HttpRequest) -> str:
    """The person's language; before sign-in what was chosen here before or the browser asks for."""
    own = getattr(request.user, "language", "")
    return own if own in CODES else get_language_from_request(request)


def keep_theme(response: HttpResponse, theme: str) -> None:
    """Remember the theme on this screen."""
    response.set_cookie(
        THEME_COOKIE,
        theme,
        max_age=YEAR_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def keep_language(response: HttpResponse, language: str) -> None:
    """Remember the language for the pages before sign-in."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def look(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the theme and language of this answer, and what there is to choose."""
    return {
        "theme": theme_of(request),
        "themes": THEMES,
        "LANGUAGE_CODE": getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE),
        "languages": settings.LANGUAGES,
    }
