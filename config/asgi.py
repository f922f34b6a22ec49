"""The web process: Django in threads behind an asynchronous front that can hold live streams."""

from a2wsgi import WSGIMiddleware

from config.wsgi import application as django_application

THREADS = 8  # each keeps a database connection

application = WSGIMiddleware(django_application, workers=THREADS)
