"""Reads the mails of Nagios, Icinga and monit as alerts, PROBLEM and RECOVERY joined; pure."""

import re
from collections.abc import Mapping
from typing import Final

from api.mail.reading import Mail
from tickets.incoming import FIRING, RESOLVED, IncomingAlert

# Nagios: "** PROBLEM Service Alert: web01/HTTP is CRITICAL **", and without a service for hosts.
NAGIOS: Final = re.compile(
    r"\*\*\s*(PROBLEM|RECOVERY)\s+(Service|Host) Alert:\s*(.+?)\s+is\s+([A-Z]+)\s*\*\*"
)
# Icinga 2: "[PROBLEM] disk on web01 is WARNING!" and "[RECOVERY] Host web01 is UP!"; it writes the
# names that are displayed, which may have blanks. What is called "Host" is told by its states.
ICINGA: Final = re.compile(
    r"\[(PROBLEM|RECOVERY)\]\s+(?:Host\s+(?P<host>\S.*?)\s+is\s+(?P<up>UP|DOWN|UNREACHABLE)\b"
    r"|(?P<service>\S.*)\s+on\s+(?P<on>\S.*?)\s+is\s+(?P<state>OK|WARNING|CRITICAL|UNKNOWN)\b)"
)
# "Re:", "Fwd:" and their like: what a person has sent on is no word of the monitor any more.
SENT_ON: Final = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|rif|ref|odp|fw|fwd|wg|tr|vl|rv|i|enc|pd)\s*(?:\[\d+\])?\s*:",
    re.IGNORECASE,
)
MONIT: Final = re.compile(r"monit alert --\s+(.+?)\s+(\S+)$", re.IGNORECASE)
MONIT_HOST: Final = re.compile(r"^[ \t]*Host:[ \t]+(\S+)", re.MULTILINE)
MONIT_WORDS: Final = re.compile(r"^[ \t]*Description:[ \t]+(.+)$", re.MULTILINE)
# The names of monit's events: the one that begins a trouble, and the one that ends it.
MONIT_EVENTS: Final[Mapping[str, tuple[str, bool]]] = {
    name: (first, name == last)
    for first, last in (
        ("connection failed", "connection succeeded"),
        ("does not exist", "exists"),
        ("execution failed", "execution succeeded"),
        ("resource limit matched", "resource limit succeeded"),
        ("status failed", "status succeeded"),
        ("timeout", "timeout recovery"),
        ("checksum failed", "checksum succeeded"),
        ("icmp failed", "icmp succeeded"),
        ("link down", "link up"),
        ("permission failed", "permission succeeded"),
        ("content failed", "content succeeded"),
        ("data access error", "data access succeeded"),
    )
    for name in (first, last)
}
WORDS_MAX: Final = 5000
SEVERITIES: Final = {"CRITICAL": "critical", "DOWN": "critical", "UNREACHABLE": "error"}


def alert_of(mail: Mail) -> IncomingAlert | None:
    """The alert that a monitor tells by this mail; None for any other mail."""
    if SENT_ON.match(mail.subject):
        return None
    if found := NAGIOS.search(mail.subject):
        what, _, service = found[3].partition("/")
        return _alert(mail, found[1], what.strip(), service.strip(), found[4])
    if found := ICINGA.search(mail.subject):
        host = found["host"] or found["on"]
        state = found["up"] or found["state"]
        return _alert(mail, found[1], host, found["service"] or "", state)
    if found := MONIT.search(mail.subject):
        return _of_monit(mail, found[1].strip().lower(), found[2])
    return None


def _alert(mail: Mail, word: str, host: str, service: str, state: str) -> IncomingAlert:
    where = f"{service} on {host}" if service else f"Host {host}"
    return IncomingAlert(
        dedup_key=f"mail {host.lower()}/{service.lower()}"[:512],
        group_key=f"mail {host.lower()}"[:512],
        state=RESOLVED if word == "RECOVERY" else FIRING,
        summary=f"{where} is {state}"[:250],
        severity=SEVERITIES.get(state, "warning"),
        description=mail.text[:WORDS_MAX],
        details={"labels": {"sender": mail.sender}},
    )


def _of_monit(mail: Mail, event: str, service: str) -> IncomingAlert | None:
    known = MONIT_EVENTS.get(event)
    if known is None:
        return None
    first, is_over = known
    host = MONIT_HOST.search(mail.text)
    words = MONIT_WORDS.search(mail.text)
    place = host[1] if host else mail.sender
    summary = f"{service} on {place}: {event}" + (f", {words[1].strip()}" if words else "")
    return IncomingAlert(
        dedup_key=f"mail {place.lower()}/{service.lower()}/{first}"[:512],
        group_key=f"mail {place.lower()}"[:512],
        state=RESOLVED if is_over else FIRING,
        summary=summary[:250],
        severity="error",
        description=mail.text[:WORDS_MAX],
        details={"labels": {"sender": mail.sender}},
    )
