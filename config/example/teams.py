"""The eleven teams of the example site: where they stand, who is in them, what they answer for."""

from typing import NamedTuple

ALWAYS = "always"
BERLIN_OFFICE = "office-berlin"
NEW_YORK_OFFICE = "office-new-york"


class Calendar(NamedTuple):
    """A working calendar: zone, weekly spans in minutes, own closed (month, day), holidays of."""

    name: str
    zone: str
    spans: tuple[tuple[int, int, int], ...]
    days_off: tuple[tuple[int, int], ...] = ()
    country: str = ""
    region: str = ""


CALENDARS = {
    ALWAYS: Calendar("Round the clock", "UTC", tuple((day, 0, 1440) for day in range(7))),
    BERLIN_OFFICE: Calendar(
        "Office hours Berlin",
        "Europe/Berlin",
        tuple((day, 8 * 60, 18 * 60) for day in range(5)),
        ((12, 24), (12, 31)),
        "DE",
        "BE",
    ),
    NEW_YORK_OFFICE: Calendar(
        "Office hours New York",
        "America/New_York",
        tuple((day, 9 * 60, 17 * 60) for day in range(5)),
        country="US",
        region="NY",
    ),
}


class Example(NamedTuple):
    """One team; the first of `people` leads it, all of them take turns on call."""

    name: str
    tier: str
    calendar: str
    manager: str
    people: tuple[str, ...]
    responsibilities: str
    hands_over: str
    escalates_to: str


TEAMS = {
    "service-desk": Example(
        "Service Desk",
        "l1",
        ALWAYS,
        "helen",
        ("anna", "ben", "chloe", "david"),
        "First contact for both customer groups, round the clock; owner of every ticket.",
        "Error text, affected people, time it began, what was tried, how to reach the requester.",
        "Network Engineering for lines and VPN, Application Support for everything else.",
    ),
    "network-engineering": Example(
        "Network Engineering",
        "l2",
        BERLIN_OFFICE,
        "walter",
        ("erik", "fatima"),
        "Wide-area network, wireless, VPN, name service and firewalls.",
        "Trace from both ends, interface counters, last change, affected sites.",
        "Platform Engineering; the carrier (Meridian) for faults on its lines.",
    ),
    "application-support": Example(
        "Application Support",
        "l2",
        BERLIN_OFFICE,
        "walter",
        ("grace", "hugo"),
        "Business applications: ordering, warehouse, e-mail; their users and interfaces.",
        "Logs of the failing call, an example record, version, and how to repeat it.",
        "Database Administration for data, Platform Engineering for everything below the code.",
    ),
    "database-administration": Example(
        "Database Administration",
        "l3",
        BERLIN_OFFICE,
        "walter",
        ("ines", "jonas"),
        "Databases: availability, performance, backup and restore, access to data.",
        "Slow statements with plans, locks, growth, last good backup.",
        "The incident manager before a restore or failover with loss of data.",
    ),
    "platform-engineering": Example(
        "Platform Engineering",
        "l3",
        NEW_YORK_OFFICE,
        "walter",
        ("kenji", "laura", "admin"),
        "Servers, clusters, sign-in, monitoring, and the code that ties them together.",
        "Timeline of deployments and alerts, failing component, options with their risk.",
        "The incident manager for decisions; the product's vendor for faults in it.",
    ),
    "incident-management": Example(
        "Incident Management",
        "incident-management",
        ALWAYS,
        "helen",
        ("marta", "nils"),
        "Leads major incidents and everything that has climbed past L3.",
        "Impact, decision wanted, people at work, next deadline.",
        "The executive contact, Xenia Laurent.",
    ),
    "security-operations": Example(
        "Security Operations",
        "security",
        ALWAYS,
        "quentin",
        ("omar", "priya"),
        "Watches, contains and investigates; keeps cases closed to those who need not know.",
        "What was seen, where, when; hashes and logs; what must not be touched.",
        "The CISO, then executives and legal.",
    ),
    "change-management": Example(
        "Change Management",
        "change",
        BERLIN_OFFICE,
        "helen",
        ("rosa", "samuel"),
        "Approves changes and keeps their calendar and freezes.",
        "Plan, test, back-out, window, affected services.",
        "The incident manager for emergency changes.",
    ),
    "quality-assurance": Example(
        "Quality Assurance",
        "quality",
        BERLIN_OFFICE,
        "helen",
        ("samuel", "rosa"),
        "Reviews major incidents and samples of resolved tickets.",
        "Findings with owner and date.",
        "The manager of the team concerned.",
    ),
    "communications": Example(
        "Communications",
        "communications",
        BERLIN_OFFICE,
        "helen",
        ("tessa", "helen"),
        "Customer and stakeholder updates, on the promised cadence.",
        "The last text, its readers, the time of the next one.",
        "The incident manager; legal before anything to authorities.",
    ),
    "meridian-carrier": Example(
        "Meridian Carrier Support",
        "l4",
        ALWAYS,
        "erik",
        ("uli",),
        "The carrier of our lines: answers within 30 minutes, repairs within 4 hours.",
        "Circuit number, both ends, measurements, contact on site.",
        "Meridian's duty manager, by the contract's escalation contact.",
    ),
}
SERVICE_DESK = "service-desk"
