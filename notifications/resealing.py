"""Seals every address anew under the present key, so that a former one can be thrown away."""

from dataclasses import dataclass

from django.db import transaction

from notifications.models import SECRET_CHANNELS, ContactMethod, Hook
from notifications.sealed import is_sealed


@dataclass(frozen=True)
class Resealed:
    """How many addresses stand under the present key now, and which rows no key opens."""

    sealed: int
    lost: list[str]


@transaction.atomic
def reseal() -> Resealed:
    """Write each address once more; what no key of this site opens is left as it is, and named."""
    methods = ContactMethod.objects.select_for_update().filter(channel__in=SECRET_CHANNELS)
    sealed, lost = 0, []
    for method in methods.order_by("pk"):
        if is_sealed(method.address):
            lost.append(f"contact method {method.pk} ({method.channel})")
            continue
        method.save(update_fields=["address"])
        sealed += 1
    for hook in Hook.objects.select_for_update().order_by("pk"):
        if is_sealed(hook.url):
            lost.append(f"hook {hook.slug}")
            continue
        hook.save(update_fields=["url"])
        sealed += 1
    return Resealed(sealed, lost)
