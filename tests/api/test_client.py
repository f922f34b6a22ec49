"""A typed client, made from our OpenAPI document by a generator, used against the service."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from api.schema import document
from config.wsgi import application

# Text in another form than JSON is sent and read as it is.
OPTIONS = "content_type_overrides:\n  application/yaml: application/octet-stream\n"


@pytest.fixture(scope="session")
def generated(tmp_path_factory) -> Path:
    """The folder that holds the generated package `tierline_client`."""
    home = tmp_path_factory.mktemp("client")
    (home / "api.json").write_text(json.dumps(document(), default=str))
    (home / "options.yml").write_text(OPTIONS)
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
        *("--path", str(home / "api.json"), "--config", str(home / "options.yml")),
        *("--output-path", str(home / "tierline_client")),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "WARNING parsing" not in told.stdout, told.stdout
    return home


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """The test's own connection outlives each request, as it does under Django's test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def client(generated, agent, kept_connection, monkeypatch) -> Any:
    """The generated client with an agent's token, led to the service in this process."""
    monkeypatch.syspath_prepend(str(generated))
    return import_module("tierline_client").AuthenticatedClient(
        base_url="http://testserver",
        token=agent.plain,
        httpx_args={"transport": httpx.WSGITransport(app=application)},
    )


def call(client: Any, name: str, *args: Any, **given: Any) -> Any:
    return import_module(f"tierline_client.api.tickets.{name}").sync_detailed(
        *args, client=client, **given
    )


def test_a_generated_client_opens_lists_and_resolves(client):
    models = import_module("tierline_client.models")
    opened = call(client, "tickets_create", body=models.Opening(subject="Made by a program"))
    assert opened.status_code == 201
    key = opened.parsed.key
    assert call(client, "tickets_list", open_=True).parsed.results[0].key == key
    taken = call(client, "tickets_take", key, idempotency_key="once")
    again = call(client, "tickets_take", key, idempotency_key="once")
    assert (taken.parsed.status, again.parsed.version) == ("in_progress", taken.parsed.version)
    said = models.Commenting(text="Looking at it", public=True)
    assert call(client, "tickets_comments_create", key, body=said).parsed.text == "Looking at it"
    stale = call(client, "tickets_watch", key, if_match='"1"')
    assert (stale.status_code, stale.parsed.code) == (412, "changed_since")
    lost = call(client, "tickets_retrieve", "INC-999999")
    assert (lost.parsed.title, lost.parsed.status) == ("Not Found", 404)
