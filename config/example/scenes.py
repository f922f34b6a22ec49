"""What happened on the example site before its first start, ticket by ticket."""

from typing import Any, NamedTuple


class Opening(NamedTuple):
    """The birth of a ticket, so many minutes before now."""

    minutes_ago: float
    requester: str
    subject: str
    description: str
    service: str = ""
    category: str = ""
    kind: str = "incident"
    impact: int = 3
    urgency: int = 3
    source: str = "portal"
    by: str = ""
    asset: str = ""
    restricted: bool = False
    began_before: float = 5
    team: str = ""


class Act(NamedTuple):
    """One act on it."""

    minutes_ago: float
    by: str
    act: str
    given: dict[str, Any]


class Scene(NamedTuple):
    opening: Opening
    acts: tuple[Act, ...] = ()


def say(minutes_ago: float, by: str, text: str) -> Act:
    return Act(minutes_ago, by, "comment", {"text": text, "public": True})


def note(minutes_ago: float, by: str, text: str) -> Act:
    return Act(minutes_ago, by, "comment", {"text": text, "public": False})


def take(minutes_ago: float, by: str) -> Act:
    return Act(minutes_ago, by, "take", {})


def pass_on(minutes_ago: float, by: str, reason: str, tried: str, **more: Any) -> Act:
    given = {"reason_code": "skill", "reason": reason, "tried": tried, **more}
    return Act(minutes_ago, by, "escalate", given)


def solve(minutes_ago: float, by: str, code: str, text: str) -> Act:
    return Act(minutes_ago, by, "resolve", {"code": code, "text": text})


def update(minutes_ago: float, text: str) -> Act:
    return Act(minutes_ago, "tessa", "post_update", {"text": text})


HOURS = 60

SCENES = {
    "password": Scene(
        Opening(
            30 * HOURS,
            "rita",
            "I cannot sign in after my leave",
            "It says that my password has expired, and the link in the mail does not work.",
            category="password",
            service="workplace",
            urgency=2,
        ),
        (
            take(30 * HOURS - 6, "ben"),
            say(30 * HOURS - 9, "ben", "I have sent you a fresh link; it works for one hour."),
            solve(30 * HOURS - 20, "ben", "fixed", "New link sent, sign-in checked by phone."),
            Act(29 * HOURS, "rita", "confirm", {}),
        ),
    ),
    "orders-down": Scene(
        Opening(
            26 * HOURS,
            "mike",
            "No order gets through: error 502 at payment",
            "All customers see error 502 after entering their card. Began without any change "
            "on our side.",
            service="ordering",
            category="outage",
            impact=1,
            urgency=1,
            source="phone",
            by="chloe",
            began_before=9,
        ),
        (
            take(26 * HOURS - 2, "chloe"),
            say(26 * HOURS - 4, "chloe", "We see it too. I am passing it to the engineers now."),
            pass_on(
                26 * HOURS - 5,
                "chloe",
                "Payment answers 502 for everybody",
                "Repeated with two browsers and from outside; status page of the bank is green.",
                impact="All orders of Alder Logistics",
                to_team="application-support",
            ),
            take(26 * HOURS - 11, "hugo"),
            Act(
                26 * HOURS - 13,
                "marta",
                "declare_major",
                {"reason": "No customer can order anything.", "severity": 1},
            ),
            Act(
                26 * HOURS - 14,
                "marta",
                "staff_major",
                {"people": {"coordinator": "tessa", "technical_lead": "hugo"}},
            ),
            update(26 * HOURS - 20, "Orders fail at payment, for everybody. We are working on it."),
            note(26 * HOURS - 25, "hugo", "Application is fine; the gateway has no free workers."),
            pass_on(
                26 * HOURS - 28,
                "hugo",
                "Gateway is out of workers, needs a platform engineer",
                "Restarted one node: back for two minutes, then full again.",
                impact="All orders",
            ),
            take(26 * HOURS - 33, "kenji"),
            update(26 * HOURS - 48, "Orders flow again since a minute ago; still watching."),
            solve(
                25 * HOURS - 10,
                "kenji",
                "fixed",
                "A retry loop in the bank's client held all workers. Limit set, version pinned.",
            ),
            Act(23 * HOURS, "mike", "confirm", {}),
        ),
    ),
    "failover": Scene(
        Opening(
            22 * HOURS,
            "ines",
            "Orders fail after every failover of the customer database",
            "Third time this quarter: clients keep their old connections. Find the cause.",
            service="customer-data",
            category="data",
            kind="problem",
            impact=2,
            urgency=3,
        ),
        (
            take(21 * HOURS, "anna"),
            pass_on(
                20.8 * HOURS,
                "anna",
                "Cause is in how clients reconnect",
                "Read the three incidents together.",
                to_team="database-administration",
            ),
            take(20 * HOURS, "ines"),
            note(3 * HOURS, "ines", "Pooler keeps dead connections for 15 min; testing a fix."),
        ),
    ),
    "line": Scene(
        Opening(
            7 * HOURS,
            "rita",
            "Clinic Altona: everything is slow since this morning",
            "Pictures take minutes to load, calls break up.",
            service="network",
            category="performance",
            impact=2,
            urgency=2,
            asset="line HAM-0421",
            began_before=40,
        ),
        (
            take(7 * HOURS - 8, "anna"),
            say(7 * HOURS - 10, "anna", "Thank you. I am measuring your line now."),
            pass_on(
                7 * HOURS - 22,
                "anna",
                "Eight per cent of packets lost on the carrier line",
                "Router restarted by phone, other sites are fine, measurement attached.",
                impact="One clinic, 40 people",
            ),
            take(7 * HOURS - 40, "fatima"),
            say(6 * HOURS, "fatima", "The fault is on the carrier's side; we have called them."),
            Act(
                6 * HOURS - 5,
                "fatima",
                "engage",
                {
                    "vendor": "meridian",
                    "reason": "Eight per cent of packets lost on circuit MC-2041/7, both ways.",
                    "wait": True,
                },
            ),
            Act(5.7 * HOURS, "fatima", "respond", {"reference": "88120-4"}),
        ),
    ),
    "printer": Scene(
        Opening(
            5 * HOURS,
            "sophie",
            "Printer on floor 3 prints blank pages",
            "Since yesterday evening; toner was changed.",
            service="workplace",
            category="hardware",
            asset="printer B3-17",
            urgency=2,
        ),
        (
            take(5 * HOURS - 12, "david"),
            say(5 * HOURS - 15, "david", "I am sending somebody over."),
            solve(3 * HOURS, "david", "fixed", "The seal was still on the new toner. Removed."),
        ),
    ),
    "labels": Scene(
        Opening(
            4 * HOURS,
            "mike",
            "Shipping labels carry the wrong sender",
            "Labels from warehouse 2 show the address of warehouse 1.",
            service="warehouse",
            category="data",
            impact=2,
            urgency=2,
        ),
        (
            take(4 * HOURS - 10, "ben"),
            pass_on(
                4 * HOURS - 20,
                "ben",
                "Looks like a wrong setting in the warehouse system",
                "Reprinted one label: same.",
            ),
            Act(
                3.2 * HOURS,
                "grace",
                "hand_back",
                {
                    "reason_code": "incomplete",
                    "reason": "Which label printer, and one order number as an example, please.",
                },
            ),
            say(3.1 * HOURS, "ben", "Could you send us one order number and a photo?"),
        ),
    ),
    "phone-sync": Scene(
        Opening(
            3 * HOURS,
            "sophie",
            "Calendar on my phone stopped updating",
            "Meetings of today are missing; the laptop shows them.",
            service="e-mail",
            urgency=1,
        ),
        (
            take(2.9 * HOURS, "chloe"),
            say(2.85 * HOURS, "chloe", "Please tell me which phone and version you have."),
            Act(
                2.8 * HOURS,
                "chloe",
                "pend",
                {
                    "status": "pending_requester",
                    "reason": "Phone model and version",
                    "wake_in_hours": 24,
                },
            ),
        ),
    ),
    "case": Scene(
        Opening(
            1.7 * HOURS,
            "sophie",
            "Invoices sent from an account nobody knows",
            "Two suppliers received invoices with changed bank details from our domain.",
            service="e-mail",
            category="security",
            kind="security",
            impact=1,
            urgency=1,
            by="omar",
            source="phone",
            restricted=True,
        ),
        (
            take(1.65 * HOURS, "omar"),
            note(1.5 * HOURS, "omar", "Forwarding rule found in one mailbox; sessions ended."),
            note(1.2 * HOURS, "priya", "Sign-ins from two networks since Monday; evidence kept."),
            Act(1.1 * HOURS, "omar", "owe_notice", {"authority": "State data protection officer"}),
        ),
    ),
    "results": Scene(
        Opening(
            55,
            "rita",
            "Patient portal: laboratory results open very slowly",
            "Patients wait up to a minute, some give up. Began around the hour.",
            service="patient-portal",
            category="performance",
            impact=2,
            urgency=1,
            source="phone",
            by="ben",
        ),
        (
            # Nobody at the desk acknowledges: the outage policy passes it on after ten minutes.
            take(41, "hugo"),
            Act(
                38,
                "marta",
                "declare_major",
                {"reason": "All clinics wait for results; surgeries are put off.", "severity": 2},
            ),
            Act(
                37,
                "marta",
                "staff_major",
                {
                    "people": {
                        "coordinator": "tessa",
                        "technical_lead": "hugo",
                        "scribe": "samuel",
                    },
                    "bridge_url": "https://bridge.example.org/results",
                },
            ),
            update(35, "Laboratory results open slowly in all clinics. We are working on it."),
            note(30, "hugo", "Slow only with the new index; comparing plans with yesterday's."),
            Act(26, "marta", "attach_child", {"child": "results-ward"}),
            Act(18, "marta", "attach_child", {"child": "results-practice"}),
            update(9, "Cause is narrowed down to a new index; still working on it."),
        ),
    ),
    "results-ward": Scene(
        Opening(
            28,
            "sophie",
            "Ward 4 cannot open blood results",
            "The page turns and turns.",
            service="patient-portal",
            category="performance",
            urgency=2,
            source="phone",
            by="chloe",
        ),
    ),
    "results-practice": Scene(
        Opening(
            20,
            "rita",
            "Results of this morning do not open in the practice",
            "Older ones do.",
            service="patient-portal",
            category="performance",
            urgency=2,
        ),
    ),
    "stock": Scene(
        Opening(
            22,
            "mike",
            "Yesterday's orders are missing in the stock list",
            "The list ends at 18:00. Pickers work from paper.",
            service="warehouse",
            category="data",
            impact=2,
            urgency=2,
        ),
    ),
    "headset": Scene(
        Opening(
            11,
            "rita",
            "A headset for the new colleague in room 214",
            "She starts on Monday.",
            service="workplace",
            category="hardware",
            kind="request",
        ),
    ),
}
