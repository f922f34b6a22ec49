"""The web process: Django in threads behind an asynchronous front that can hold live streams."""

from a2wsgi import WSGIMiddleware

from config.checks import refuse_default_secret_key
from config.wsgi import application as django_application

THREADS = 8  # each keeps a database connection

refuse_default_secret_key()
application = WSGIMiddleware(django_application, workers=THREADS)  # type: ignore[arg-type]
