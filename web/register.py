"""Every act on a ticket, in the order in which a page offers them."""

from typing import Final

from web.acts import ACTS as WORK_ACTS
from web.caseacts.about import ABOUT_ACTS
from web.caseacts.belonging import BELONGING_ACTS
from web.caseacts.climbing import CLIMB_ACTS
from web.caseacts.majors import MAJOR_ACTS
from web.caseacts.partners import PARTNER_ACTS
from web.caseacts.restricted import RESTRICTED_ACTS

ACTS: Final = (
    *WORK_ACTS,
    *ABOUT_ACTS,
    *BELONGING_ACTS,
    *CLIMB_ACTS,
    *MAJOR_ACTS,
    *RESTRICTED_ACTS,
    *PARTNER_ACTS,
)
BY_SLUG: Final = {act.slug: act for act in ACTS}
