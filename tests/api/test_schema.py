"""The OpenAPI document: complete, valid, and served without asking anybody outside."""

import json
import re

import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from jsonschema import Draft202012Validator

from api.answers import Teller
from api.examples import BODIES
from api.rest.register import ACTS

V1 = "/api/v1/"
JSON_KINDS = ("application/json", "application/problem+json")


def document() -> dict:
    answer = Client().get(f"{V1}schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_the_document_is_made_without_a_warning(tmp_path, capsys):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "api.yml"))
    assert yaml.safe_load((tmp_path / "api.yml").read_text())["openapi"].startswith("3.1")


def test_every_address_is_described(db):
    paths = document()["paths"]
    for act in ACTS:
        assert "post" in paths[f"{V1}tickets/{{key}}/{act.slug}/"]
    own = {
        "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        for resolver in get_resolver().url_patterns
        if getattr(resolver, "app_name", None) == "api"
        for pattern in resolver.url_patterns
        if str(pattern.pattern).startswith("api/v1/") and str(pattern.pattern).endswith("/")
    }
    assert set(paths) == own - {f"{V1}schema/", f"{V1}docs/"}


def test_every_operation_says_what_it_does_and_how_it_is_refused(db):
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            refused = operation["responses"]["401"]
            assert refused == {"$ref": "#/components/responses/Refused401"}
            assert {"token": []} in operation["security"], (path, method)


def test_every_body_has_an_example_that_fits(db):
    made = document()
    seen = set()
    for operations in made["paths"].values():
        for operation in operations.values():
            bodies = operation.get("requestBody", {}).get("content", {})
            if "application/json" not in bodies:
                continue
            (example,) = bodies["application/json"]["examples"].values()
            schema = {**bodies["application/json"]["schema"], "components": made["components"]}
            wrong = list(Draft202012Validator(schema).iter_errors(example["value"]))
            assert not wrong, (operation["operationId"], wrong)
            known = made["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
            assert set(example["value"]) <= set(known), operation["operationId"]
            seen.add(operation["operationId"])
    assert seen == set(BODIES) | {"tickets_bulk"}


def test_every_answer_and_refusal_has_an_example_that_fits(db):
    made = document()
    teller = Teller(made["components"]["schemas"])
    refusals = made["components"]["responses"]
    answers = [
        (operation["operationId"], answer)
        for operations in made["paths"].values()
        for operation in operations.values()
        for answer in operation["responses"].values()
    ]
    named = {answer["$ref"].rpartition("/")[2] for _, answer in answers if "$ref" in answer}
    assert named == set(refusals)
    shown = 0
    for name, answer in [*answers, *refusals.items()]:
        for kind, content in answer.get("content", {}).items():
            if kind not in JSON_KINDS:
                continue
            (example,) = content["examples"].values()
            schema = {**content["schema"], "components": made["components"]}
            wrong = list(Draft202012Validator(schema).iter_errors(example["value"]))
            assert not wrong, (name, wrong)
            if kind == "application/json":
                teller.tell(content["schema"])
                shown += 1
    assert teller.unnamed == set()
    assert shown > len(made["paths"])


def test_the_docs_name_nothing_outside(db):
    page = Client().get(f"{V1}docs/")
    assert page.status_code == 200
    assert b"://" not in page.content
    assert b"<style" not in page.content
    assert b"<script>" not in page.content
