"""Django's way to PostgreSQL, without a question at the beginning of each request."""
