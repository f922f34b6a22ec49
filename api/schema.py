"""How our own parts describe themselves in OpenAPI, and the pages that show it."""

from functools import cache
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.answers import Teller, refusal
from api.examples import BODIES
from api.problems import answer_problem
from api.rest.feed import TYPES

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable; made for programs."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "The bad member of the body."},
                    "parameter": {"type": "string", "description": "The bad query parameter."},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
REFERENCE = {"$ref": "#/components/schemas/Problem"}
FIELDS = {
    "name": "fields",
    "in": "query",
    "schema": {"type": "string"},
    "description": "Members to show, separated by commas; all of them without it.",
}
EVERYWHERE = {"400", "401", "403", "406", "429", "503"}
WITH_BODY = {"409", "412", "413", "415", "422"}


class TokenScheme(OpenApiAuthenticationExtension):
    """Our token as OpenAPI's bearer scheme."""

    target_class = "api.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """What a client has to send."""
        description = "A token of Tierline, `tl_…`, made on one's own page You."
        return {"type": "http", "scheme": "bearer", "description": description}


def only_canonical(endpoints: list[Any]) -> list[Any]:
    """Drop the second form of each address, without the slash at its end."""
    return [endpoint for endpoint in endpoints if endpoint[0].endswith("/")]


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """Add to every operation its summary and the problems that it may answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    result["components"]["responses"] = {
        f"Refused{code}": _refused(int(code)) for code in sorted(EVERYWHERE | WITH_BODY | {"404"})
    }
    teller = Teller(result["components"]["schemas"])
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            codes = EVERYWHERE | ({"404"} if "{" in path else set())
            if method != "get":
                codes = codes | WITH_BODY
            elif _shows_members(operation):
                operation.setdefault("parameters", []).append(FIELDS)
            for code in sorted(codes):
                named = {"$ref": f"#/components/responses/Refused{code}"}
                operation["responses"].setdefault(code, named)
            operation.setdefault("summary", operation.get("description", "").partition(".")[0])
            operation["responses"] = dict(sorted(operation["responses"].items()))
            _show_body(operation)
            _show_answer(operation, teller)
    result["webhooks"] = {name: _webhook(name, words) for name, words in TYPES.items()}
    return result


def _show_body(operation: dict[str, Any]) -> None:
    """Put an example of its body into an operation that has none of its own."""
    body = BODIES.get(operation["operationId"])
    if body is not None:
        example = {"Such as": {"value": body}}
        operation["requestBody"]["content"]["application/json"].setdefault("examples", example)


def _refused(status: int) -> dict[str, Any]:
    """How operations are refused with this status, such as so; written once for all of them."""
    example = {"Such as": {"value": refusal(status)}}
    content = {"application/problem+json": {"schema": REFERENCE, "examples": example}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _show_answer(operation: dict[str, Any], teller: Teller) -> None:
    """Put an example into each answer that tells of success and has none of its own."""
    for status, answer in operation["responses"].items():
        shown = answer.get("content", {}).get("application/json")
        if status.startswith("2") and shown is not None and "schema" in shown:
            example = {"Such as": {"value": teller.tell(shown["schema"])}}
            shown.setdefault("examples", example)


def _webhook(name: str, words: str) -> dict[str, Any]:
    """How an event is posted to those who subscribe to it."""
    told = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"$ref": "#/components/schemas/EventData"},
        },
    }
    return {
        "post": {
            "operationId": f"webhook_{name.replace('.', '_')}",
            "summary": words,
            "requestBody": {"content": {"application/json": {"schema": told}}},
            "responses": {
                "2XX": {"description": "Taken."},
                "410": {"description": "Nothing more is wanted; the webhook is switched off."},
            },
        }
    }


def _shows_members(operation: dict[str, Any]) -> bool:
    shown = operation["responses"].get("200", {}).get("content", {})
    return "application/json" in shown


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; it takes seconds to make and is the same until the next start."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


@cache
def rendered(renderer: type[BaseRenderer]) -> bytes:
    """The document in one form."""
    made = renderer().render(document(), renderer_context={})
    return made if isinstance(made, bytes) else made.encode()


class Schema(SpectacularAPIView):
    """The OpenAPI document, made from the code."""

    permission_classes = [AllowAny]
    throttle_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The document, as YAML or JSON."""
        chosen = request.accepted_renderer
        body = rendered(type(chosen))
        return HttpResponse(body, content_type=chosen.media_type)


@csrf_exempt  # it writes nothing; another method is told so
def show_docs(request: Any) -> HttpResponse:
    """The page on which the interface can be read and tried; all of it comes from this server."""
    if request.method not in ("GET", "HEAD"):
        headers = {"Allow": "GET, HEAD"}
        return answer_problem(
            request, 405, "This page is only read.", code="method_not_allowed", headers=headers
        )
    context = {"schema_url": reverse("api:schema")}
    return TemplateResponse(request, "api/docs.html", context)
