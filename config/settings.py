"""Settings, read once from the environment; every default is safe on a laptop."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

from config.addresses import broker_address, postgres_url, valkey_url
from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("TIERLINE_HOME") or BASE_DIR / ".tierline").absolute()

env = environ.Env()
# What `manage.py up` decided at its first start, so that every other command knows it too.
# What the environment says wins.
if os.access(HOME / "env", os.R_OK):
    _noted = (HOME / "env").read_text().splitlines()
    env.ENVIRON = dict(line.split("=", 1) for line in _noted) | os.environ

# ---- Who we are --------------------------------------------------------------------------------

VERSION = "0.1.0"
DEFAULT_SECRET_KEY = "only-for-a-first-look"  # noqa: S105  (refused at start, see checks)
SECRET_KEY = env("SECRET_KEY", default=DEFAULT_SECRET_KEY)
# Former keys: what was sealed or signed under them is still read. Nothing new is made with them.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
PORT = env.int("PORT", default=8000)
BIND = env("BIND", default="127.0.0.1")
_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
WEB_PROCESSES = env.int("WEB_PROCESSES", default=min(4, _cores))
PUBLIC_URL = env("PUBLIC_URL", default=f"http://localhost:{PORT}").rstrip("/")
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", _public.hostname or "localhost"]
)
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]

# An example site offers live examples and shows its mail; the file is made with its accounts.
EXAMPLE_SITE = env.bool("EXAMPLE_SITE", default=(HOME / "example-password").exists())

# ---- What it is made of ------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_fsm",
    "django_filters",
    "django_htmx",
    "lucide",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "roles",
    "notifications",
    "tickets",
    "escalation",
    "insights",
    "web",
    "api",
    "config",
    # Last, so that a template of ours stands in for the admin's own of the same name.
    "config.admin_app.TierlineAdminConfig",
]

MIDDLEWARE = [
    # A vendor's host name leads to that vendor's doors before anything asks for an address.
    "api.intake.hosts.by_host",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # What a page hides is masked anew in each answer, so that its length tells nothing (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "web.middleware.reader_locale",
    "web.middleware.note_followed",
]


TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.look.look",
            ],
        },
    }
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "roles.Person"
AUTHENTICATION_BACKENDS = ["web.sessions.Accounts"]
SESSION_ENGINE = "web.sessions"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
LANGUAGE_COOKIE_NAME = "language"
USE_TZ = True
TIME_ZONE = "UTC"

# ---- Where things are kept ---------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=postgres_url(HOME))}
_database = DATABASES["default"]
_options = _database.setdefault("OPTIONS", {})
_database["HOST"] = _options.pop("host", _database["HOST"])
_limits_s = {
    "statement_timeout": env.int("DB_STATEMENT_TIMEOUT_S", default=30),
    "lock_timeout": env.int("DB_LOCK_TIMEOUT_S", default=5),
    "idle_in_transaction_session_timeout": env.int("DB_IDLE_IN_TRANSACTION_S", default=10),
}
_options.setdefault("connect_timeout", 5)
_options.setdefault("options", " ".join(f"-c {k}={v}s" for k, v in _limits_s.items()))
_database["ENGINE"] = "config.postgresql"
_database["CONN_MAX_AGE"] = 600  # a connection keeps the plans of what was asked on it
_database["CONN_HEALTH_CHECKS"] = True

KEEP_PLANS = env.bool("DB_KEEP_PLANS", default=True)
"""Whether statements are prepared; no pooler that shares connections by transaction allows it."""

REDIS_URL = env("REDIS_URL", default=valkey_url(HOME))
BROKER_URL = broker_address(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

MEDIA_ROOT = env("MEDIA_ROOT", default=str(HOME / "files"))  # attachments; served by views only
ATTACHMENT_MAX_MB = env.int("ATTACHMENT_MAX_MB", default=20)
FILE_UPLOAD_HANDLERS = [
    "web.uploads.CappedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o600
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT", default=str(HOME / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Source maps are most of the bytes and nobody waits for them.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("png", "woff", "woff2", "gz", "map")

# ---- Mail --------------------------------------------------------------------------------------
# Unless EMAIL_URL names a server, all mail goes to the local catcher and none leaves the machine.

MAIL_FOLDER = HOME / "mail"
_mail = env.email_url("EMAIL_URL", default="smtp://127.0.0.1:1025")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"]
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Tierline <tierline@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Where answers to our mail go; its local part takes a signed tag behind a plus sign. Or nowhere.
MAIL_REPLY_ADDRESS = env("MAIL_REPLY_ADDRESS", default="")
# Mailboxes by the slug of their mail source: support=imaps://user:password@host/INBOX,…
MAILBOXES = dict(pair.partition("=")[::2] for pair in env.list("MAILBOXES", default=[]))

# Further channels; one without its settings is offered to nobody.
TELEPHONY_URL = env("TELEPHONY_URL", default="https://api.twilio.com").rstrip("/")
TELEPHONY_ACCOUNT = env("TELEPHONY_ACCOUNT", default="")
TELEPHONY_TOKEN = env("TELEPHONY_TOKEN", default="")
TELEPHONY_FROM = env("TELEPHONY_FROM", default="")
SLACK_URL = env("SLACK_URL", default="https://slack.com").rstrip("/")
SLACK_BOT_TOKEN = env("SLACK_BOT_TOKEN", default="")
SLACK_SIGNING_SECRET = env("SLACK_SIGNING_SECRET", default="")
MATTERMOST_HOOK = env("MATTERMOST_HOOK", default="")
MATTERMOST_COMMAND_TOKEN = env("MATTERMOST_COMMAND_TOKEN", default="")
# What Teams shows once when an outgoing webhook is made, in base64 as it stands there.
TEAMS_WEBHOOK_SECRET = env("TEAMS_WEBHOOK_SECRET", default="")

# ---- Safety ------------------------------------------------------------------------------------

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_validators = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_validators}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validators}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_validators}.CommonPasswordValidator"},
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "web.views.errors.csrf_failed"
_over_tls = _public.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _over_tls
SECURE_HSTS_SECONDS = 31_536_000 if _over_tls else 0
if env.bool("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# ---- The service -------------------------------------------------------------------------------

AUTO_CLOSE_DAYS = env.int("AUTO_CLOSE_DAYS", default=5)  # a resolved ticket that stays so closes

# Hosts, as `host` or `host:port`, that hooks may call inside the site's own network or without TLS.
WEBHOOK_HOSTS = env.list("WEBHOOK_HOSTS", default=[])

# ---- The machines' door ------------------------------------------------------------------------

# How many requests each process takes from one source of alerts in a minute.
INTAKE_REQUESTS_PER_MINUTE = env.int("INTAKE_REQUESTS_PER_MINUTE", default=60_000)
# Host names that lead to one vendor's doors alone, such as events.example.org=pagerduty.
INTAKE_HOSTS = dict(pair.split("=", 1) for pair in env.list("INTAKE_HOSTS", default=[]))
ALLOWED_HOSTS += list(INTAKE_HOSTS)
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=6000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.auth.TokenAuthentication",
        "api.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.auth.ScopePermission"],
    "DEFAULT_THROTTLE_CLASSES": ["api.limits.CallerThrottle"],
    "DEFAULT_PARSER_CLASSES": ["api.bodies.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.bodies.FastJSON"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.bodies.PlainWish",
    "DEFAULT_PAGINATION_CLASS": "api.paging.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "api.describing.Describing",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.problems.answer_exception",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tierline",
    "DESCRIPTION": "Everything that the pages can do, for programs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "TAGS": [
        {"name": "tickets", "description": "Tickets, and everything that can be done to one."},
        {"name": "bulk", "description": "One act on many tickets."},
        {"name": "majors", "description": "Major incidents."},
        {"name": "changes", "description": "Changes: planned, approved, ended."},
        {"name": "problems", "description": "The causes behind repeats."},
        {"name": "break-glass", "description": "Opening a restricted case in an emergency."},
        {"name": "teams", "description": "Who works, and who is on call now."},
        {"name": "schedules", "description": "On-call schedules with their layers."},
        {"name": "overrides", "description": "Who serves in place of the layers."},
        {"name": "swaps", "description": "Shifts that people offer each other."},
        {"name": "calendars", "description": "Working hours and holidays."},
        {"name": "policies", "description": "Escalation policies: drafted, compared, published."},
        {"name": "targets", "description": "Promises: how long each clock may take."},
        {"name": "vendors", "description": "Vendors and their contracts."},
        {"name": "contracts", "description": "What teams ask before they take work."},
        {"name": "simulations", "description": "Policies played over the past, as long jobs."},
        {"name": "articles", "description": "Knowledge and runbooks."},
        {"name": "suggestions", "description": "What may help with a text."},
        {"name": "config", "description": "The whole configuration as one YAML file."},
        {"name": "routes", "description": "Who works on what."},
        {"name": "organisations", "description": "Customer groups."},
        {"name": "duties", "description": "Duties, and who holds them."},
        {"name": "tiers", "description": "The rungs of the ladder and the lanes beside it."},
        {"name": "services", "description": "What support is given for."},
        {"name": "categories", "description": "What tickets are about."},
        {"name": "people", "description": "Colleagues and requesters."},
        {"name": "me", "description": "The caller."},
        {"name": "tokens", "description": "Keys to this interface."},
        {"name": "messages", "description": "The outbox."},
        {"name": "webhooks", "description": "Other systems that are told of events."},
        {"name": "events", "description": "Everything that happens, to be followed."},
        {"name": "operations", "description": "Whether the service itself is well."},
        {"name": "audit", "description": "What was done to people and configuration."},
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["api.schema.only_canonical"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.schema.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "TicketKind": "tickets.models.Kind",
        "PersonKind": "roles.models.Person.Kind",
        "TierKind": "roles.models.Tier.Kind",
        "ClockKind": "escalation.models.ClockKind",
        "EventKind": "tickets.models.EventKind",
        "Level": "api.rest.tickets.LEVEL_CHOICES",
        "Hold": "api.rest.acts.HOLDS",
        "EscalationReason": "escalation.models.Escalation.Reason",
        "EscalatingReason": "api.rest.acts.REASONS",
        "HandBackReason": "escalation.models.Escalation.HandBackReason",
        "TicketStatus": "api.rest.tickets.STATUSES",
        "EscalationState": "escalation.models.Escalation.State",
        "ClockState": "escalation.models.Clock.State",
        "RunState": "escalation.models.Run.State",
        "EngagementState": "escalation.models.Engagement.State",
        "MajorState": "tickets.models.Major.State",
        "ChangeState": "tickets.models.Change.State",
        "ArticleState": "tickets.models.Article.State",
        "ArticleAudience": "tickets.models.Article.Audience",
        "UpdateAudience": "api.rest.caseacts.AUDIENCE_CHOICES",
        "SwapState": "roles.models.Swap.State",
        "OperationsState": "api.rest.operations.STATES",
        "SimulationState": "insights.models.Simulation.State",
        "VerificationState": "insights.operations.models.Verification.State",
        "MessageState": "notifications.models.MessageState",
        "MessageUrgency": "notifications.models.Urgency",
        "AlertRuleAct": "tickets.models.AlertRule.Act",
    },
}

LOGGING = logging_config(
    json=env("LOG_FORMAT", default="console") == "json", level=env("LOG_LEVEL", default="INFO")
)
