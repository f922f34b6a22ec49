"""Named points at which a fault test lets this very process die, as kill -9 would."""

import os


def crash_here(name: str) -> None:
    """End the process at once, without cleaning up, when TIERLINE_CRASH_AT names this point.

    What a crash leaves behind between two statements can only be proved by crashing there. The
    variable is read each time, so that a test may set it in a child; unset, this costs one look
    into a dictionary.
    """
    if os.environ.get("TIERLINE_CRASH_AT") == name:
        os._exit(137)
