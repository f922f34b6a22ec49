"""The thirty people of the example site, their two customer groups, and who holds which duty."""

from typing import NamedTuple

ORGANISATIONS = {"harbour": ("Harbour Clinics", True), "alder": ("Alder Logistics", False)}
BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"


class Example(NamedTuple):
    """One person: shown name, time zone, duties, customer group."""

    name: str
    zone: str = BERLIN
    duties: tuple[str, ...] = ()
    organisation: str = ""
    is_vip: bool = False


PEOPLE = {
    "anna": Example("Anna Keller"),
    "ben": Example("Ben Okafor"),
    "chloe": Example("Chloé Martin"),
    "david": Example("David Novák", NEW_YORK),
    "helen": Example("Helen Brandt"),
    "erik": Example("Erik Lindgren"),
    "fatima": Example("Fatima Rahman"),
    "grace": Example("Grace Liu"),
    "hugo": Example("Hugo Silva"),
    "ines": Example("Inès Moreau"),
    "jonas": Example("Jonas Weber"),
    "kenji": Example("Kenji Sato", NEW_YORK),
    "laura": Example("Laura Bianchi", NEW_YORK),
    "marta": Example("Marta Kowalska", duties=("incident-manager",)),
    "nils": Example("Nils Berg", duties=("incident-manager",)),
    "omar": Example("Omar Haddad"),
    "priya": Example("Priya Nair"),
    "quentin": Example("Quentin Dubois", duties=("ciso",)),
    "rosa": Example("Rosa Fuentes", duties=("change-manager",)),
    "samuel": Example("Samuel Osei", duties=("qa-reviewer",)),
    "tessa": Example("Tessa Vogel", duties=("communication-coordinator",)),
    "uli": Example("Uli Hansen"),
    "walter": Example("Walter Klein"),
    "xenia": Example("Xenia Laurent", duties=("executive",)),
    "yusuf": Example("Yusuf Demir", duties=("legal",)),
    "admin": Example("Ada Lindqvist", duties=("administrator",)),
    "zoe": Example("Zoë Thornton", duties=("auditor",)),
    "rita": Example("Rita Gómez", organisation="harbour"),
    "sophie": Example("Sophie Tan", organisation="harbour", is_vip=True),
    "mike": Example("Mike Jensen", NEW_YORK, organisation="alder"),
}
MONITOR = ("monitor", "Prometheus monitoring")
MAY_OPEN_ADMIN = ("administrator", "auditor", "communication-coordinator", "incident-manager")
MANAGERS = ("helen", "walter", "quentin")
SIGN_INS = {
    "anna": "service desk agent, L1",
    "grace": "application support engineer, L2",
    "kenji": "platform engineer, L3",
    "marta": "incident manager",
    "omar": "security analyst, sees the restricted case",
    "rita": "requester",
    "helen": "manager, sees the service's figures",
    "samuel": "quality reviewer, signs reviews",
    "admin": "administrator and platform engineer, works at /admin/",
    "zoe": "auditor, reads /admin/",
}
