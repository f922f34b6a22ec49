"""Small incident exports for tests: rows written as one thinks of them."""

import csv
import gzip
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_HEADER = (
    "number incident_state active reassignment_count reopen_count sys_mod_count made_sla caller_id "
    "opened_by opened_at sys_created_by sys_created_at sys_updated_by sys_updated_at contact_type "
    "location category subcategory u_symptom cmdb_ci impact urgency priority assignment_group "
    "assigned_to knowledge u_priority_confirmation notify problem_id rfc vendor caused_by "
    "closed_code resolved_by resolved_at closed_at"
)
COLUMNS = _HEADER.split()
PLAIN = {
    "number": "INC0000001",
    "incident_state": "New",
    "sys_mod_count": "0",
    "reopen_count": "0",
    "made_sla": "true",
    "caller_id": "Caller 1",
    "opened_by": "Opened by  8",
    "opened_at": "1/3/2016 09:00",
    "sys_updated_by": "Updated by 4",
    "sys_updated_at": "1/3/2016 09:05",
    "contact_type": "Phone",
    "category": "Category 5",
    "subcategory": "Subcategory 7",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "priority": "3 - Moderate",
    "assignment_group": "Group 70",
    "closed_code": "code 6",
    "resolved_at": "1/3/2016 12:00",
    "closed_at": "6/3/2016 12:00",
}


def row(**changed: Any) -> list[str]:
    """One line of an export; what is not named is missing or plain."""
    given = PLAIN | changed
    return [str(given.get(name, "?")) for name in COLUMNS]


def write(path: Path, rows: Iterable[list[str]]) -> Path:
    """The rows as a gzipped export."""
    with gzip.open(path, "wt", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return path


def wild(count: int, seed: int) -> list[list[str]]:
    """Incidents that go through states, groups and priorities in any order."""
    chance = random.Random(seed)
    states = ["New", "Active", "Awaiting User Info", "Awaiting Vendor", "Awaiting Problem"]
    states += ["Awaiting Evidence", "Resolved", "Closed", "Canceled", "-100"]
    rows = []
    for number in range(count):
        for update in range(chance.randint(1, 9)):
            day, minute = 2 + update // 3, chance.randint(0, 59)
            level = chance.choice([("1 - High", "1 - Critical"), ("3 - Low", "4 - Low")])
            rows.append(
                row(
                    number=f"INC{number:07}",
                    incident_state=chance.choice(states),
                    sys_mod_count=update,
                    sys_updated_at=f"{day}/3/2016 {update:02}:{minute:02}",
                    assignment_group=chance.choice(["Group 70", "Group 2", "Group 3", "?"]),
                    assigned_to=chance.choice(["Resolver 1", "Resolver 2", "?"]),
                    impact=level[0],
                    urgency=level[0],
                    priority=level[1],
                    category=chance.choice(["Category 5", "Category 6", "?"]),
                )
            )
    return rows
