"""Policy as code at the command line: export the site as YAML, show a plan, apply a file."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from escalation.configuration.applying import Outcome, apply_text, export_site, plan_text
from escalation.configuration.document import BY_NAME, BadFile
from roles.models import Person
from roles.refusals import Refused

WOULD_CHANGE = 2


class Command(BaseCommand):
    help = (
        "Export the site's configuration as YAML, show what a file would change (exit 0: nothing, "
        "2: something, 1: the file is wrong), or apply it, whole or not at all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        export = acts.add_parser("export", help="Write the site's configuration into a file.")
        export.add_argument("file", metavar="FILE.yaml", help="- for standard output")
        export.add_argument(
            "--only",
            action="append",
            default=[],
            choices=list(BY_NAME),
            help="a section; repeatable",
        )
        for name, words in (
            ("plan", "Show what applying the file would change."),
            ("apply", "Make the site what the file says, in one transaction."),
        ):
            act = acts.add_parser(name, help=words)
            act.add_argument("file", metavar="FILE.yaml", help="- for standard input")
            act.add_argument(
                "--prune",
                action="store_true",
                help="switch off what a section of the file does not list",
            )
            act.add_argument("--as", dest="username", help="who does it; without it the system")
            if name == "apply":
                act.add_argument("--reason", default="", help="kept in the audit")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "export":
            self._export(options["file"], options["only"])
            return
        try:
            outcome = self._outcome(options)
        except BadFile as bad:
            for line in bad.lines(options["file"]):
                self.stderr.write(line)
            raise CommandError(f"{bad}; nothing was changed.") from None
        except Refused as refusal:
            raise CommandError(f"{refusal.detail} Nothing was changed.") from None
        for line in outcome.lines():
            self.stdout.write(line)
        if outcome.plan.changes and not outcome.is_applied:
            sys.exit(WOULD_CHANGE)

    def _export(self, name: str, only: list[str]) -> None:
        text = export_site(only=only)
        if name == "-":
            self.stdout.write(text, ending="")
        else:
            Path(name).write_text(text, encoding="utf-8")

    def _outcome(self, options: dict[str, Any]) -> Outcome:
        given = {
            "text": _read(options["file"]),
            "prune": options["prune"],
            "actor": _person(options["username"]),
        }
        if options["act"] == "plan":
            return plan_text(**given)
        return apply_text(reason=options["reason"], **given)


def _read(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as trouble:
        raise CommandError(f"{name} cannot be read: {trouble.strerror}.") from None
    except UnicodeDecodeError as trouble:
        line = raw[: trouble.start].count(b"\n") + 1
        raise CommandError(f"{name}:{line}: this is not UTF-8.") from None


def _person(username: str | None) -> Person | None:
    if username is None:
        return None
    person = Person.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise CommandError(f"There is no active person {username}.")
    return person
