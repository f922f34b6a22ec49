"""How the log looks, for people or for machines, and what never gets into it."""

import logging
import re
import time
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_NAMES = re.compile(r"password|secret|token|authorization|cookie|digest|api_?key", re.I)
SECRET_TEXTS = re.compile(
    r"(tl_[A-Za-z0-9]+_)[A-Za-z0-9_-]+"
    r"|(://[^/:@\s]*:)[^@/\s]+(?=@)"
    r"|(/(?:m|setup/first|calendar|answers/voice|x-ere|intake/v1/[a-z0-9-]+)/)[^/\s\"'?]+"
)
"""Tokens, passwords in addresses, and what of a path opens it by itself: of a link in a letter, a
feed, or a source. Django names the path of whatever it refuses."""
HIDDEN = "[hidden]"


def _hide(match: re.Match[str]) -> str:
    return (match[1] or match[2] or match[3]) + HIDDEN


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event without what opens anything, and without fields with telling names."""
    for key, value in event.items():
        if SECRET_NAMES.search(key):
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = SECRET_TEXTS.sub(_hide, value)
    return event


class Sparing(logging.Filter):
    """Lets one record of a kind through in `every_s` seconds, without its traceback.

    For loops that fail once a second as long as a server is away.
    """

    def __init__(self, every_s: float = 30.0) -> None:
        super().__init__()
        self._every_s = every_s
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        line = record.getMessage().partition("\n")[0]
        if now - self._said.get(line, -self._every_s) < self._every_s:
            return False
        if len(self._said) > 1000:
            self._said.clear()
        self._said[line] = now
        record.msg, record.args, record.exc_info = line, None, None
        return True


class Untraced(logging.Filter):
    """Takes the traceback from a refusal: that somebody may not do something is no fault."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, PermissionDenied):
            record.exc_info = None
        return True


def logging_config(*, json: bool, level: str) -> dict[str, Any]:
    """The LOGGING setting; structlog and the standard library come out alike."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": before,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    hide_secrets,
                    renderer,
                ],
            }
        },
        "filters": {"sparing": {"()": Sparing}, "untraced": {"()": Untraced}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "django.request": {"filters": ["untraced"]},
            # One line a second for each task of the heart would bury everything else.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING", "filters": ["sparing"]},
        },
    }
