"""Reads and writes lengths of time as people type them: "15 min", "1 h 30 min", "90 s". Pure."""

import re

UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
PART = re.compile(r"([0-9]{1,9})\s*(d|h|min|s)")
WHOLE = re.compile(rf"{PART.pattern}(?:\s+{PART.pattern})*")
MAX_S = 10 * 365 * 86_400


def parse_duration(text: str) -> int:
    """Seconds; a bare number is seconds, "1 d" is 24 hours. Raises ValueError with a sentence."""
    said = text.strip()
    if re.fullmatch(r"[0-9]{1,9}", said):
        seconds = int(said)
    elif WHOLE.fullmatch(said):
        seconds = sum(int(amount) * UNITS[unit] for amount, unit in PART.findall(said))
    else:
        raise ValueError(f'"{said}" is no length of time; write "15 min", "2 h", "1 d" or seconds.')
    if seconds > MAX_S:
        raise ValueError(f'"{said}" is longer than ten years.')
    return seconds


def format_duration(seconds: int) -> str:
    """The shortest words that `parse_duration` reads back to the same number of seconds."""
    if seconds and seconds % UNITS["d"] == 0:
        return f"{seconds // UNITS['d']} d"
    parts = []
    for unit in ("h", "min", "s"):
        amount, seconds = divmod(seconds, UNITS[unit])
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts) or "0 s"
