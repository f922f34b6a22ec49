"""Walks every ticket's timeline and names each row that was touched after it was written."""

from tickets.checking import CheckCommand
from tickets.verify import check_all


class Command(CheckCommand):
    help = (
        "Check the hash chain, the columns and the words of all timelines. Exit code 1: findings."
    )
    doing = "Verifying"
    rows = "events"
    all_well = "every timeline holds"
    check_all = staticmethod(check_all)
