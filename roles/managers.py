"""The manager of people: makes accounts and finds them by name in any case."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import BaseUserManager
from django.db import models
from django.db.models.functions import Lower

if TYPE_CHECKING:
    from roles.models import Person


class PersonQuerySet(models.QuerySet["Person"]):
    """People, with the one question that nearly everybody asks."""

    def active(self) -> "PersonQuerySet":
        """Those who may still sign in, be paged and be told."""
        return self.filter(is_active=True)


class PersonManager(BaseUserManager.from_queryset(PersonQuerySet)):  # type: ignore[misc]
    """Makes accounts; user names and e-mail addresses are stored in lower-case domain form."""

    use_in_migrations = False

    def create_user(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "Person":
        """The new account; without a password nobody can sign in with it. Raises ValueError."""
        if not username:
            raise ValueError("An account needs a user name.")
        fields.setdefault("name", username)
        person = self.model(
            username=self.model.normalize_username(username),
            email=self.normalize_email(email),
            **fields,
        )
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "Person":
        """The new account, able to do everything in the admin."""
        fields.update(is_staff=True, is_superuser=True)
        return self.create_user(username, email, password, **fields)

    def get_by_natural_key(self, username: str | None) -> "Person":
        """The account of that name, upper and lower case alike; raises DoesNotExist."""
        folded = (username or "").lower()
        return self.alias(folded=Lower("username")).get(folded=folded)
