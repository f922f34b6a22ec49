"""What each tier, lane and duty of the example site answers for, hands over and escalates to."""

from typing import NamedTuple


class Guidance(NamedTuple):
    """The name of a tier, lane or duty, and the three texts that spare its people a wiki."""

    name: str
    responsibilities: str
    hands_over: str
    escalates_to: str


LADDER = {
    "l0": Guidance(
        "L0 Self-service",
        "Lets people help themselves: articles, forms, password reset, status of services.",
        "What the person searched for and which article did not help, added to the new ticket.",
        "The service desk, as soon as somebody opens a ticket; nobody has to search first.",
    ),
    "l1": Guidance(
        "L1 Service desk",
        "Answers everybody who asks, records and classifies, sets impact and urgency, solves what "
        "is known and keeps the requester informed. Stays the owner when others work on it.",
        "Who is affected and since when, the exact words of the error, what was tried with which "
        "result, a workaround if there is one, and how to reach the requester.",
        "L2 of the service when no known solution fits after 15 minutes, at once for P1 and P2. "
        "Signs of an attack or lost data go straight to IT security.",
    ),
    "l2": Guidance(
        "L2 Technical support",
        "Diagnoses networks, applications and workplaces, restores service by workaround or "
        "repair, and writes down what it learns as articles for L1.",
        "Everything from L1 with: logs around the time it began, steps that repeat the fault, "
        "recent changes, components ruled out, and the risk of waiting.",
        "L3 when the cause lies in code, data or architecture, or when half of the resolution "
        "time has passed without a diagnosis. Back to L1, with a reason, if they could solve it.",
    ),
    "l3": Guidance(
        "L3 Engineering",
        "Finds and removes causes nobody else can: builds, runs and changes platforms and "
        "databases, decides on risky repairs, and opens problems for what may come back.",
        "Diagnosis so far, what a repair needs (access, downtime, approval), and for a vendor the "
        "contract, version, logs and business impact in one message.",
        "The incident manager on call when a repair needs a decision, more people or a longer "
        "outage; the vendor (L4) when the fault is in their product.",
    ),
    "l4": Guidance(
        "L4 Vendor",
        "Repairs its own product or line within the contract's hours and targets.",
        "Its own reference, what was found and changed, and whether the fault may return.",
        "The vendor's duty manager through the contract's escalation contact; on our side the "
        "team that engaged it keeps the ticket and its deadlines.",
    ),
}
LANES = {
    "incident-management": Guidance(
        "Incident management",
        "Leads major incidents, decides who works on what, names one owner when a ticket goes to "
        "and fro, and moves people between teams while it lasts.",
        "Needs in one look: impact, since when, who works on it, the next deadline, what decision "
        "is wanted. Hands over a timeline and open actions for the review.",
        "The executive contact when the business must choose between harms, or after one hour of "
        "a P1 without a way forward.",
    ),
    "security": Guidance(
        "IT security",
        "Contains, investigates and closes security incidents on a need-to-know basis; keeps "
        "evidence; decides who is told.",
        "Needs: what was seen, where and when, and that nothing was wiped or restarted. Hands "
        "over only what a receiver needs to act.",
        "The CISO for anything confirmed; with the CISO to executives and legal when personal "
        "data or the law are touched.",
    ),
    "change": Guidance(
        "Change management",
        "Checks plan, test and back-out of a change, approves or refuses, keeps the calendar of "
        "changes and freezes, and speeds up emergency changes.",
        "Needs: plan, affected services, test result, back-out and window. Hands back the "
        "decision with its conditions.",
        "The incident manager for emergency changes in a running incident; executives for a "
        "change during a freeze.",
    ),
    "quality": Guidance(
        "Quality assurance",
        "Reviews major incidents and samples of resolved tickets: was it classified, told, "
        "documented and solved for good?",
        "Findings with the ticket they come from, an owner and a date; never names for blame.",
        "The manager of the team concerned, then the head of service operations.",
    ),
    "communications": Guidance(
        "Communications",
        "Writes what customers and stakeholders are told during incidents, on a promised cadence, "
        "in words they understand.",
        "Needs: what is affected, since when, workaround, time of the next update. Hands over the "
        "text that went out and to whom.",
        "The incident manager when facts are missing for a promised update; executives and legal "
        "before anything to the press or an authority.",
    ),
}
DUTIES = {
    "incident-manager": Guidance(
        "Incident manager",
        "On call for all services: takes the lead when a ticket has climbed past L3 or is major; "
        "may push, pull and reassign across teams.",
        "At the end of a shift: every open P1 and P2 with its next deadline and decision.",
        "The executive contact.",
    ),
    "communication-coordinator": Guidance(
        "Communication coordinator",
        "Tells stakeholders during major incidents: the first word within 15 minutes, then as "
        "promised, even if nothing is new.",
        "The last update sent, and when the next one is due.",
        "The incident manager.",
    ),
    "qa-reviewer": Guidance(
        "QA reviewer",
        "Samples resolutions and signs off reviews.",
        "Findings with owner and date.",
        "The manager of the team concerned.",
    ),
    "change-manager": Guidance(
        "Change manager",
        "Approves or refuses changes and keeps their calendar.",
        "The decision with its conditions and the window.",
        "The incident manager for an emergency, else the executive contact.",
    ),
    "ciso": Guidance(
        "Chief information security officer",
        "Answers for security cases: clears people, decides on disclosure, accepts risk.",
        "A summary without more detail than the receiver may know.",
        "The executive contact and legal, for anything confirmed.",
    ),
    "executive": Guidance(
        "Executive contact",
        "Decides when the business must choose: money, risk, customers, the public.",
        "The decision in one sentence and who carries it out.",
        "Nobody above; tells the board.",
    ),
    "legal": Guidance(
        "Legal contact",
        "Judges duties to notify authorities and customers, and contracts with vendors.",
        "What must be told to whom, by when.",
        "The executive contact.",
    ),
    "administrator": Guidance(
        "Administrator",
        "Keeps people, teams, calendars, targets and policies right; is told when the engine "
        "finds nobody else to tell.",
        "Every change stands in the administrative audit.",
        "The head of service operations.",
    ),
    "auditor": Guidance(
        "Auditor",
        "Reads everything but restricted cases and writes nothing.",
        "Findings, outside of this product.",
        "The executive contact.",
    ),
}
