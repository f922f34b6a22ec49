"""Expands the public holidays of a country or region into days, from the library `holidays`."""

from datetime import date
from types import ModuleType

Day = tuple[date, str]


def expand(country: str, region: str, first_year: int, last_year: int) -> list[Day]:
    """The holidays of these years as (day, name), in order; names in English where it has them.

    `country` is an ISO 3166-1 code such as DE, `region` the part after the dash of an ISO 3166-2
    code such as BY, or empty. Raises ValueError with a sentence for unknown ones.
    """
    library = _library()
    known = library.list_supported_countries(include_aliases=False)
    if country not in known:
        raise ValueError(f"No public holidays are known for {country!r}; use a code such as DE.")
    if region and region not in known[country]:
        regions = ", ".join(known[country]) or "none"
        raise ValueError(f"{country} has no region {region!r}; it has: {regions}.")
    years = range(first_year, last_year + 1)
    found = library.country_holidays(country, subdiv=region or None, years=years, language="en_US")
    # A holiday on a weekend may be observed in a neighbouring year that nobody asked for.
    return sorted((day, name[:200]) for day, name in found.items() if day.year in years)


def _library() -> ModuleType:
    """The library, loaded only when somebody publishes: its first use takes half a second."""
    import holidays  # noqa: PLC0415

    return holidays
