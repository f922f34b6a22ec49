"""Settings, read once from the environment; every default is safe on a laptop."""

from pathlib import Path

import environ

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = env("SECRET_KEY", default="only-for-a-first-look")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_fsm",
    "roles",
    "notifications",
    "tickets",
    "escalation",
    "insights",
    "web",
    "api",
    "config",
]

DATABASES = {"default": env.db("DATABASE_URL", default="postgresql:///tierline")}
_database = DATABASES["default"]
_database["HOST"] = _database.setdefault("OPTIONS", {}).pop("host", _database["HOST"])
AUTH_USER_MODEL = "roles.Person"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "config.urls"
