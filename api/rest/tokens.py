"""Tokens: one's own, and for administrators everybody's; the secret is shown once."""

from typing import Any, Final

from rest_framework import serializers

from api.paging import Order
from api.rest.references import PersonName
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import PK, Deed, Subject
from roles.models import ApiToken, Person
from roles.models.tokens import Scope
from roles.people import is_allowed
from roles.tokens import issue, revoke


class TokenView(serializers.ModelSerializer):
    """A token; never its secret."""

    person: Any = serializers.SlugRelatedField("username", read_only=True)

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            *("id", "person", "name", "prefix", "scopes", "created_at", "expires_at"),
            *("last_used_at", "revoked_at"),
        )
        read_only_fields = fields


class IssuedView(serializers.Serializer):
    """A new token with its plain text, which is never shown again."""

    token = TokenView()
    plain = serializers.CharField()


class Issuing(StrictSerializer):
    """Where it is used, what for, and until when; for a program's account by administrators."""

    name = Text(max_length=200)
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), min_length=1)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    person = PersonName(required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """What lies within the calling token: else one of few rights would lead to one of all."""
        calling = self.context["request"].auth
        if not isinstance(calling, ApiToken):
            return given
        wrong = {}
        if beyond := sorted(set(given["scopes"]) - set(calling.scopes)):
            wrong["scopes"] = f"The calling token has no {', '.join(beyond)} to give."
        until = given.get("expires_at")
        if calling.expires_at is not None and (until is None or until > calling.expires_at):
            wrong["expires_at"] = f"No later than the calling token: {calling.expires_at:%FT%TZ}."
        if wrong:
            raise serializers.ValidationError(wrong)
        return given


class Revoking(StrictSerializer):
    """Why."""

    reason = Text(max_length=500, required=False, allow_blank=True)


def _issue(*, actor: Person, person: Person | None = None, **given: Any) -> dict[str, Any]:
    token, plain = issue(person=person or actor, actor=actor, **given)
    return {"token": token, "plain": plain}


def _rows(reader: Person) -> Any:
    rows = ApiToken.objects.select_related("person")
    return rows if is_allowed(reader, "admin") else rows.filter(person=reader.pk)


SUBJECTS: Final = (
    Subject(
        slug="tokens",
        summary="One's own tokens; everybody's for administrators.",
        view=TokenView,
        by=PK,
        rows=_rows,
        orders={"-id": Order("pk", True), "id": Order("pk")},
        is_called="token",
        read_scope=Scope.ADMIN_READ,
        make=Deed(
            summary="Issue a token; its plain text is shown only now.",
            perform=_issue,
            body=Issuing,
            answer=IssuedView,
            status=201,
        ),
        deeds=(Deed(slug="revoke", summary="Make it useless.", perform=revoke, body=Revoking),),
    ),
)
