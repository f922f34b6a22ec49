"""Who knocks at the machines' door: a token with its scopes, or a person's own session."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from roles.models import ApiToken, Person
from roles.models.tokens import Scope
from roles.tokens import authenticate

REALM = 'Bearer realm="Tierline"'
SCHEME = "bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer tl_…`; other schemes are none of ours."""

    def authenticate(self, request: Request) -> tuple[Person, ApiToken] | None:
        """The token's person, and the token. Raises AuthenticationFailed for a useless one."""
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME:
            return None
        token = authenticate(plain.strip())
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return REALM


class ScopePermission(BasePermission):
    """Signed in, and when by token then one with the scope that the view names."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether to go on. Raises PermissionDenied when the token lacks the scope."""
        if not request.user.is_authenticated:
            return False
        wanted = scope_of(view, request.method or "GET")
        if not isinstance(request.auth, ApiToken) or not wanted:
            return True
        if wanted not in request.auth.scopes:
            denied = PermissionDenied(f"This token lacks the scope {wanted}.", "scope_missing")
            # DRF reads this attribute of an exception, but its stubs do not declare it.
            denied.auth_header = (  # type: ignore[attr-defined]
                f'{REALM}, error="insufficient_scope", scope="{wanted}"'
            )
            raise denied
        return True


def scope_of(view: Any, method: str) -> str:
    """The scope that a token needs for this method of a view; "" when any token will do."""
    reading: str = getattr(view, "read_scope", Scope.TICKETS_READ)
    writing: str = getattr(view, "write_scope", Scope.TICKETS_WRITE)
    return reading if method in SAFE_METHODS else writing


__all__ = ["ScopePermission", "SessionAuthentication", "TokenAuthentication", "scope_of"]
