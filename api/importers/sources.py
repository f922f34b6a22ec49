"""Reads another product's configuration: a folder or an archive, a JSON file, or its own API."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from api.importers.fields import BadConfiguration, items, text

BYTES_MAX: Final = 200_000_000
FILES_MAX: Final = 50_000
PAGE: Final = 100
PAGES_MAX: Final = 1000
TIMEOUT_S: Final = 30

Folders = dict[str, list[Mapping[str, Any]]]


def read_folders(path: Path) -> Folders:
    """The JSON objects of a backup by the folder in which they lie, from a directory or a ZIP file.

    In the order of the file names. Raises BadConfiguration.
    """
    found: Folders = {}
    for name, content in _files(path):
        place = PurePosixPath(name)
        if place.suffix != ".json" or not place.parent.name:
            continue
        held = _parsed(content, name)
        each = held if isinstance(held, list) else [held]
        found.setdefault(place.parent.name, []).extend(items(each))
    if not found:
        raise BadConfiguration(f"{path} has no folders with JSON files.")
    return found


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                yield str(file.relative_to(path.parent)), file.read_bytes()
            return
        with zipfile.ZipFile(path) as archive:
            entries = sorted(archive.infolist(), key=lambda each: each.filename)
            size = sum(each.file_size for each in entries)
            if len(entries) > FILES_MAX or size > BYTES_MAX:
                raise BadConfiguration(f"{path} unpacks to more than a backup can hold.")
            for entry in entries:
                if not entry.is_dir():
                    yield entry.filename, archive.read(entry)
    except (OSError, zipfile.BadZipFile, RuntimeError) as problem:
        raise BadConfiguration(f"{path} cannot be read: {problem}") from problem


def read_object(path: Path) -> dict[str, Any]:
    """The one JSON object of a file. Raises BadConfiguration."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise BadConfiguration(f"{path} cannot be read: {problem.strerror}.") from problem
    held = _parsed(content, str(path))
    if not isinstance(held, dict):
        raise BadConfiguration(f"{path} must hold one JSON object with lists in it.")
    return held


def _parsed(content: bytes, name: str) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:
        raise BadConfiguration(f"{name} is not JSON: {problem}") from problem


class Api:
    """A product's own REST API, read page by page with a token."""

    def __init__(self, base: str, headers: Mapping[str, str]) -> None:
        if urlsplit(base).scheme not in ("http", "https"):
            raise BadConfiguration(f"{base} is no web address.")
        self._base = base.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", **headers})

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """One answer. Raises BadConfiguration for anything but a JSON object with status 200."""
        address = path if path.startswith(("http://", "https://")) else f"{self._base}/{path}"
        base, place = urlsplit(self._base), urlsplit(address)
        if place.netloc != base.netloc:
            raise BadConfiguration(f"{self._base} leads elsewhere: {address}")
        # Behind a proxy many name their next page with http://; the token goes by TLS all the same.
        address = place._replace(scheme=base.scheme).geturl()
        try:
            answer = self._session.get(
                address, params=query, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as problem:
            raise BadConfiguration(f"{address} does not answer: {problem}") from problem
        if answer.status_code != requests.codes.ok or len(answer.content) > BYTES_MAX:
            raise BadConfiguration(f"{address} answers {answer.status_code}.")
        held = _parsed(answer.content, address)
        if not isinstance(held, dict):
            raise BadConfiguration(f"{address} does not answer with a JSON object.")
        return held

    def by_offset(self, path: str, name: str, **query: Any) -> list[Mapping[str, Any]]:
        """All of a collection whose pages say whether there is more."""
        found: list[Mapping[str, Any]] = []
        for _ in range(PAGES_MAX):
            page = self.get(path, limit=PAGE, offset=len(found), **query)
            fresh = list(items(page.get(name)))
            found += fresh
            if not page.get("more") or not fresh:
                return found
        raise BadConfiguration(f"{path} does not end.")

    def by_next(self, path: str) -> list[Mapping[str, Any]]:
        """All of a collection whose pages name the next one."""
        found: list[Mapping[str, Any]] = []
        following = path
        for _ in range(PAGES_MAX):
            page = self.get(following)
            found += items(page.get("results"))
            following = text(page, "next")
            if not following:
                return found
        raise BadConfiguration(f"{path} does not end.")
