"""One sender process as the product runs it: woken by hints, else every second."""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from config.fallback import DUTIES, PassTimer

    (duty,) = (duty for duty in DUTIES if duty.name == "delivery")
    timer = PassTimer(duty)
    timer.start()
    print("ready", flush=True)
    sys.stdin.read()  # until whoever started us is done
    timer.stop()


if __name__ == "__main__":
    main()
