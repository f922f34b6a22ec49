"""An example of every answer: made of its schema, each member in the words of `vocabulary`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from api.problems import Problem, problem
from api.vocabulary import ALL, AT, LATER, OF

DEPTH_MAX: Final = 9
BY_FORMAT: Final = {
    "date-time": AT,
    "date": "2026-11-22",
    "time": "09:00:00",
    "uuid": "0197f3a2-6f0b-7cc1-9f5e-3f1d1c0e5a11",
    "uri": "https://tierline.example.org/tickets/INC-000123",
    "email": "omar@example.org",
}
LATE: Final = ("due_at", "ended_at", "until", "end", "next_at", "resolved_at", "finished_at")
REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_parameter", "A query parameter is unknown or wrong."),
    401: ("authentication_failed", "This token is unknown, expired or revoked."),
    403: ("scope_missing", "This token lacks the scope tickets:write."),
    404: ("not_found", "Not found."),
    406: ("not_acceptable", "Could not satisfy the request Accept header."),
    409: ("still_running", "The first request of this key is still running."),
    412: ("changed_since", "It has changed since you read it; read it again."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
    422: ("invalid", "The body is not right; see errors."),
    429: ("throttled", "Request was throttled. Expected available in 12 seconds."),
    503: ("unavailable", "This cannot be stored right now; send it again."),
}
ADDRESS: Final = "/api/v1/tickets/INC-000123/"
REASONS: Final[Mapping[int, Mapping[str, str]]] = {
    400: {"parameter": "ordring", "detail": "This parameter is not known here."},
    422: {"pointer": "#/reason", "detail": "This field is required."},
}


def refusal(status: int) -> Problem:
    """What a refusal with this status looks like."""
    code, detail = REFUSALS.get(status, ("refused", HTTPStatus(status).phrase))
    errors = [REASONS[status]] if status in REASONS else []
    return problem(status, detail, code=code, instance=ADDRESS, errors=errors)


class Teller:
    """Makes examples; `unnamed` are the texts for which the vocabulary has no word."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas
        self.unnamed: set[str] = set()

    def tell(self, schema: Mapping[str, Any]) -> Any:
        """A value that fits the schema of an answer."""
        return self._value(schema, "", "", DEPTH_MAX)

    def _value(self, schema: Mapping[str, Any], owner: str, name: str, depth: int) -> Any:
        whole, of = self._resolved(schema, owner)
        kinds = _kinds(whole)
        if not depth:
            return None if "null" in kinds else {}
        for words in (OF.get(owner, {}), ALL):
            if name in words and _fits(words[name], whole, kinds):
                return words[name]
        return self._made(whole, of, name, depth)

    def _made(self, schema: Mapping[str, Any], owner: str, name: str, depth: int) -> Any:
        kinds = _kinds(schema)
        if "enum" in schema:
            return next((each for each in schema["enum"] if each not in (None, "")), None)
        if "const" in schema:
            return schema["const"]
        if "properties" in schema:
            members = schema["properties"].items()
            return {each: self._value(part, owner, each, depth - 1) for each, part in members}
        if "array" in kinds:
            return [self._value(schema.get("items", {}), owner, name, depth - 1)]
        if "boolean" in kinds:
            return name.startswith(("is_active", "active", "public", "applied", "required"))
        if kinds & {"integer", "number"}:
            return 1800 if name.endswith("_s") else max(1, int(schema.get("minimum", 1)))
        if "string" in kinds:
            return self._text(schema, owner, name)
        return {}

    def _text(self, schema: Mapping[str, Any], owner: str, name: str) -> str:
        form = schema.get("format", "")
        if form == "date-time" and name.endswith(LATE):
            return LATER
        if form in BY_FORMAT:
            return BY_FORMAT[form]
        self.unnamed.add(f"{owner}.{name}")
        return name

    def _resolved(self, schema: Mapping[str, Any], owner: str) -> tuple[Mapping[str, Any], str]:
        """The schema behind references and choices, and whose members are read in it."""
        if "$ref" in schema:
            named = str(schema["$ref"]).rpartition("/")[2]
            return self._resolved(self._schemas[named], named)
        for word in ("allOf", "oneOf", "anyOf"):
            parts = [part for part in schema.get(word, ()) if part.get("type") != "null"]
            if parts:
                found, of = self._resolved(parts[0], owner)
                is_nullable = len(parts) < len(schema[word]) or "null" in _kinds(schema)
                return ({**found, "nullable": True} if is_nullable else found), of
        return schema, owner


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", ())
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    if not found and "properties" in schema:
        found = {"object"}
    return found | ({"null"} if schema.get("nullable") else set())


def _fits(value: Any, schema: Mapping[str, Any], kinds: set[str]) -> bool:
    """Whether a word can stand there: of the wanted type, and one of the choices if there are."""
    if "enum" in schema and value not in schema["enum"]:
        return False
    if not kinds:
        return True
    if isinstance(value, list) and value and _kinds(schema.get("items", {})) - {"null"}:
        return "array" in kinds and _fits(value[0], schema["items"], _kinds(schema["items"]))
    if isinstance(value, list) and value and "$ref" in schema.get("items", {}):
        return isinstance(value[0], dict)
    kind = "boolean" if isinstance(value, bool) else _KINDS[type(value)]
    return kind in kinds or (kind == "integer" and "number" in kinds)


_KINDS: Final = {
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
