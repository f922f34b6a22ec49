"""Replays every ticket's timeline and names each clock row that says something else."""

from escalation.verify import check_all
from tickets.checking import CheckCommand


class Command(CheckCommand):
    help = "Check that all clock rows equal the replay of their timelines. Exit code 1: findings."
    doing = "Replaying"
    rows = "clocks"
    all_well = "every clock equals its replay"
    check_all = staticmethod(check_all)
