"""Every act on a ticket that has an address, and every other subject."""

from typing import Final

from api.rest import (
    alerting,
    bulkacts,
    calendars,
    cases,
    catalog,
    contacts,
    drafts,
    hooks,
    knowledge,
    mending,
    outbox,
    overviews,
    people,
    policies,
    promises,
    reach,
    reviews,
    rooms,
    savedviews,
    schedules,
    simulations,
    teams,
    tokens,
)
from api.rest.acts import ACTS as WORK_ACTS
from api.rest.besides import ACTS as BESIDES
from api.rest.caseacts import ALL as CASE_ACTS

ACTS: Final = (*WORK_ACTS, *CASE_ACTS, *BESIDES, *rooms.ACTS)
ACTS_BY_SLUG: Final = {act.slug: act for act in ACTS}
SUBJECTS: Final = (
    *catalog.SUBJECTS,
    *teams.SUBJECTS,
    *people.SUBJECTS,
    *calendars.SUBJECTS,
    *schedules.SUBJECTS,
    *policies.SUBJECTS,
    *promises.SUBJECTS,
    *cases.SUBJECTS,
    *alerting.SUBJECTS,
    *knowledge.SUBJECTS,
    *simulations.SUBJECTS,
    *drafts.SUBJECTS,
    *savedviews.SUBJECTS,
    *bulkacts.SUBJECTS,
    *outbox.SUBJECTS,
    *mending.SUBJECTS,
    *tokens.SUBJECTS,
    *hooks.SUBJECTS,
    *contacts.SUBJECTS,
    *reach.SUBJECTS,
    *reviews.SUBJECTS,
    *overviews.SUBJECTS,
)
