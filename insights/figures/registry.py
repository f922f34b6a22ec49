"""Every figure there is, by its name in addresses."""

from typing import Final

from insights.figures.flows import FLOWS
from insights.figures.outcomes import OUTCOMES

FIGURES: Final = (*FLOWS, *OUTCOMES)
BY_SLUG: Final = {figure.slug: figure for figure in FIGURES}
