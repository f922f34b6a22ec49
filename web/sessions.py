"""Reads whose request it is, each time by statements that were written once."""

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from roles.models import Person
from roles.people import take_roles, with_holdings
from roles.written import Written

FOUND: Final = Written(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now),
    key=str,
    now=datetime,
)
ACCOUNT: Final = Written(lambda pk: with_holdings(Person.objects.filter(pk=pk)), pk=int)


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        found = FOUND.rows(key=self.session_key, now=timezone.now())
        if not found:
            self._session_key = None
        return found[0] if found else None


class Accounts(ModelBackend):
    """Django's accounts with passwords."""

    def get_user(self, user_id: Any) -> Person | None:
        """The account of that id with its roles, unless it has been switched off."""
        found = ACCOUNT.first(pk=int(user_id))
        if found is None or not self.user_can_authenticate(found):
            return None
        take_roles(found)
        return found
