"""The rules of the house that a machine can check; see docs for the floors they follow."""

import ast
import re
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

from config.celery import app as celery_app

pytestmark = pytest.mark.xdist_group("house")  # one process parses all of it once
ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "roles": 1,
    "notifications": 2,
    "tickets": 3,
    "escalation": 4,
    "insights": 5,
    "web": 6,
    "api": 6,
    "config": 7,
}
TOP_LEVEL = {
    *FLOORS,
    *("tests", "docs", "benchmarks", "requirements", ".ci"),
    *("manage.py", "docker-compose.yml", "pyproject.toml", "README.md", "Makefile", "Dockerfile"),
    *(".gitignore", ".dockerignore", ".git", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"),
}
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "services.py", "common.py", "misc.py"}
FOREIGN_URLS = ("admin/",)  # Django's own names


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


OWN = python_files(*FLOORS)
ALL = [*OWN, *python_files("tests", "benchmarks"), ROOT / "manage.py"]


Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def syntax(path: Path) -> ast.Module:
    """The parsed file; kept, as nearly every rule reads all of them."""
    return ast.parse(path.read_text(), filename=str(path))


@cache
def nodes(path: Path) -> tuple[ast.Import | ast.ImportFrom | Function, ...]:
    """The imports and functions of a file, the only nodes that rules ask for; walked once."""
    wanted = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef)
    return tuple(node for node in ast.walk(syntax(path)) if isinstance(node, wanted))


def place(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return f"{path.relative_to(ROOT)}{line}"


def imported_packages(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name.partition(".")[0]
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module.partition(".")[0]


def functions(path: Path) -> Iterator[Function]:
    for node in nodes(path):
        if isinstance(node, Function):
            yield node


def lines_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_imports_point_down():
    wrong = []
    for path in OWN:
        own = path.relative_to(ROOT).parts[0]
        for node in nodes(path):
            for other in imported_packages(node):
                if other in FLOORS and other != own and FLOORS[other] >= FLOORS[own]:
                    wrong.append(f"{place(path, node)}: {own} imports {other}")
    assert not wrong, "\n".join(wrong)


def test_the_product_never_imports_its_tests():
    wrong = [
        place(path, node)
        for path in OWN
        for node in nodes(path)
        if {"tests", "benchmarks"} & set(imported_packages(node))
    ]
    assert not wrong, "\n".join(wrong)


def test_our_own_code_is_imported_at_the_top_of_a_file():
    wrong = []
    for path in OWN:
        if path.name == "apps.py":  # Django wants receivers imported once the models are there
            continue
        inside = {n for f in functions(path) for n in range(f.lineno, lines_of(f) + f.lineno)}
        for node in nodes(path):
            if node.lineno in inside and set(imported_packages(node)) & set(FLOORS):
                wrong.append(place(path, node))
    assert not wrong, "\n".join(wrong)


def test_nothing_is_imported_by_a_star():
    wrong = [
        place(path, node)
        for path in ALL
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert not wrong, "\n".join(wrong)


def test_imports_of_our_own_code_are_absolute():
    wrong = [
        place(path, node)
        for path in OWN
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong, "\n".join(wrong)


def test_no_file_is_longer_than_the_house_allows():
    sizes = {path: len(path.read_text().splitlines()) for path in ALL}
    wrong = [f"{place(path)}: {n} lines" for path, n in sizes.items() if n > FILE_LINES_MAX]
    assert not wrong, "\n".join(wrong)


def test_no_function_is_longer_than_the_house_allows():
    wrong = [
        f"{place(path, function)} {function.name}: {lines_of(function)} lines"
        for path in ALL
        for function in functions(path)
        if lines_of(function) > FUNCTION_LINES_MAX
    ]
    assert not wrong, "\n".join(wrong)


def test_files_are_named_by_their_subject():
    assert not [place(path) for path in ALL if path.name in FORBIDDEN_NAMES]


def test_every_module_opens_with_a_sentence_on_its_duty():
    wrong = [
        place(path)
        for path in ALL
        if path.read_text().strip() and not ast.get_docstring(syntax(path))
    ]
    assert not wrong, "\n".join(wrong)


def test_models_do_not_override_save():
    wrong = [
        place(path, function)
        for path in OWN
        if "models" in (path.stem, path.parent.name)
        for function in functions(path)
        if function.name in {"save", "delete"}
        and not any("QuerySet" in base for base in base_names(path, function))
    ]
    assert not wrong, "\n".join(wrong)


def base_names(path: Path, function: ast.AST) -> list[str]:
    """Names of the bases of the class that holds this function."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.ClassDef):
            inside = {getattr(item, "lineno", 0) for item in node.body}
            if getattr(function, "lineno", -1) in inside:
                return [ast.unparse(base) for base in node.bases]
    return []


def test_the_top_level_holds_nothing_but_what_was_agreed(tracked_files):
    present = {name.partition("/")[0] for name in tracked_files}
    assert present <= TOP_LEVEL, sorted(present - TOP_LEVEL)


@pytest.fixture(scope="module")
def tracked_files() -> list[str]:
    """Paths in the tree that Git does not ignore, without asking Git."""
    ignored = {line.strip("/\n") for line in (ROOT / ".gitignore").open() if "*" not in line}
    return [
        str(path.relative_to(ROOT))
        for path in ROOT.iterdir()
        if path.name not in ignored and any(path.iterdir() if path.is_dir() else [path])
    ]


def own_tasks() -> set[str]:
    celery_app.loader.import_default_modules()
    return {name for name in celery_app.tasks if name.partition(".")[0] in FLOORS}


def test_every_task_is_scheduled_or_called():
    scheduled = {entry["task"] for entry in celery_app.conf.beat_schedule.values()}
    text = "\n".join(path.read_text() for path in OWN)
    idle = []
    for name in own_tasks() - scheduled:
        function = name.rpartition(".")[2]
        if not re.search(rf"\b{function}\.(delay|apply_async|delay_on_commit)\(", text):
            idle.append(name)
    assert not idle


def test_every_scheduled_task_exists_and_expires_within_its_period():
    for label, entry in celery_app.conf.beat_schedule.items():
        assert entry["task"] in own_tasks(), label
        assert entry["options"]["expires"] < entry["schedule"], label


def test_no_task_is_delayed_by_the_broker():
    """An ETA beyond the visibility timeout runs again and again; time stands in PostgreSQL."""
    pattern = re.compile(r"\b(countdown|eta)\s*=")
    wrong = [place(path) for path in OWN if pattern.search(path.read_text())]
    assert not wrong, "\n".join(wrong)


def url_patterns(
    found: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for entry in found:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from url_patterns(entry.url_patterns, route)
        else:
            yield route, entry


def test_every_url_names_its_action():
    wrong = [
        route
        for route, pattern in url_patterns(get_resolver().url_patterns)
        if not pattern.name and not route.startswith(FOREIGN_URLS)
    ]
    assert not wrong


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_finer_sizes_are_printed(record_property, capsys):
    lengths = sorted(lines_of(f) for path in OWN for f in functions(path))
    files = sorted(len(path.read_text().splitlines()) for path in OWN)
    with capsys.disabled():
        print(
            f"\nhouse: functions median {statistics.median(lengths):g}, "
            f"p95 {lengths[int(len(lengths) * 0.95)]}, longest {lengths[-1]} (aim 10, 40, 60); "
            f"files p95 {files[int(len(files) * 0.95)]}, longest {files[-1]} (aim 300, 400)"
        )
