"""What people decide on how they are told: addresses proved by a code, rules, quiet hours."""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from notifications import phrases
from notifications.addresses import shown_address
from notifications.channels.registry import CHANNELS, on_offer
from notifications.ending import forget_rules
from notifications.models import ContactMethod, ContactRule, Message, Urgency, Ways
from notifications.outbox import Letter, enqueue
from notifications.spreading import CODE, TEST
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid

CODE_GOOD: Final = timedelta(minutes=15)
GUESSES: Final = 5
CODES_AN_HOUR: Final = 6
METHODS_MAX: Final = 12
DELAY_MAX_S: Final = 3600
AWAY_MAX: Final = timedelta(days=30)


@transaction.atomic
def add_method(
    *, actor: Person, channel: str, address: str, clock: TimeSource = database_now
) -> ContactMethod:
    """A new address of the actor's own, to which a code is on its way; unused until it is proved.

    Raises Invalid with the fields `channel` or `address`, and Conflict beyond the limits. The same
    address once more gets another code.
    """
    if channel not in on_offer():
        raise Invalid("unknown_channel", "Choose how.", {"channel": "This site does not offer it."})
    try:
        address = CHANNELS[channel].clean(address)
    except ValueError as problem:
        raise Invalid("bad_address", str(problem), {"address": str(problem)}) from None
    _lock(actor)
    own = ContactMethod.objects.filter(person=actor)
    # In Python: some of them stand sealed in the database.
    method = next((each for each in own.filter(channel=channel) if each.address == address), None)
    if method is None and own.count() >= METHODS_MAX:
        raise Conflict("too_many", f"{METHODS_MAX} addresses are enough; remove one first.")
    method = method or ContactMethod(person=actor, channel=channel, address=address)
    if method.pk and method.verified_at and method.is_active:
        raise Conflict("known", "This address is yours and proved already.")
    return _send_code(method, actor, clock)


@transaction.atomic
def send_code_again(
    *, actor: Person, method: ContactMethod, clock: TimeSource = database_now
) -> ContactMethod:
    """Another code for an address that is not proved yet. Raises Conflict."""
    _lock(actor)
    found = _own(actor, method)
    if found.verified_at is not None:
        raise Conflict("known", "This address is proved already.")
    return _send_code(found, actor, clock)


def _send_code(method: ContactMethod, actor: Person, clock: TimeSource) -> ContactMethod:
    now = clock()
    recent = Message.objects.filter(
        recipient=actor, kind=CODE, created_at__gt=now - timedelta(hours=1)
    )
    if recent.count() >= CODES_AN_HOUR:
        raise Conflict("too_many_codes", "Too many codes were asked for; wait an hour.")
    code = f"{secrets.randbelow(1_000_000):06d}"
    if method.pk is None:
        method.save()
    method.digest, method.digest_at, method.guesses = _digest(method, code), now, 0
    method.verified_at, method.is_active, method.ended_because = None, True, ""
    method.save()
    number = Message.objects.filter(recipient=actor, kind=CODE).count() + 1
    letter = _letter(
        method,
        CODE,
        f"code:{method.pk}:{number}",
        subject=phrases.CODE.format(code=code),
        body=phrases.CODE_BODY,
    )
    enqueue([letter], now=now)
    audit.record(
        actor=actor,
        action="contact_method.added",
        subject=actor,
        changes=_named(method),
        clock=clock,
    )
    return method


def prove_method(
    *, actor: Person, method: ContactMethod, code: str, clock: TimeSource = database_now
) -> ContactMethod:
    """The address, used from now on, when the code is the one that was sent there.

    Raises Invalid with the field `code`; after five wrong ones, or 15 minutes, a new one is needed.
    """
    now = clock()
    with transaction.atomic():
        _lock(actor)
        found = _own(actor, method)
        if not found.digest or found.digest_at is None or found.digest_at < now - CODE_GOOD:
            raise _wrong("This code is not good any more; ask for another.")
        if found.guesses >= GUESSES:
            raise _wrong("Too many wrong codes; ask for another.")
        is_right = hmac.compare_digest(found.digest, _digest(found, code.strip()))
        if is_right:
            found.verified_at, found.digest = now, ""
            audit.record(
                actor=actor,
                action="contact_method.proved",
                subject=actor,
                changes=_named(found),
                clock=clock,
            )
        found.guesses += 1
        found.save(update_fields=["verified_at", "digest", "guesses"])
    # Refused only here: a wrong guess must be counted, so its transaction has to stand.
    if not is_right:
        raise _wrong("This is not the code that was sent.")
    return found


@transaction.atomic
def remove_method(
    *, actor: Person, method: ContactMethod, clock: TimeSource = database_now
) -> None:
    """The address is forgotten, and rules over a channel without any other address with it."""
    _lock(actor)
    found = _own(actor, method)
    audit.record(
        actor=actor,
        action="contact_method.removed",
        subject=actor,
        changes=_named(found),
        clock=clock,
    )
    found.delete()
    forget_rules(actor.pk, found.channel)


@transaction.atomic
def set_rules(
    *,
    actor: Person,
    urgency: str,
    rules: Sequence[tuple[str, int]],
    clock: TimeSource = database_now,
) -> Ways:
    """The actor's ways with these (channel, delay in seconds) for one urgency.

    Raises Invalid with the field `rules`: unknown or unproved channels, a channel twice, a delay
    beyond an hour. No rules at all means e-mail at once.
    """
    if urgency not in Urgency.values:
        raise Invalid("unknown_urgency", "There is no such urgency.")
    ready = ready_channels(actor)
    words = ""
    if any(channel not in ready for channel, _ in rules):
        words = "Prove an address for each channel first."
    elif len({channel for channel, _ in rules}) < len(rules):
        words = "Each channel once."
    elif any(not 0 <= delay_s <= DELAY_MAX_S for _, delay_s in rules):
        words = "An hour at the most: the escalation goes on meanwhile."
    if words:
        raise Invalid("bad_rules", words, {"rules": words})
    ways = _ways(actor)
    ContactRule.objects.filter(ways=ways, urgency=urgency).delete()
    ContactRule.objects.bulk_create(
        ContactRule(ways=ways, urgency=urgency, channel=channel, delay_s=delay_s)
        for channel, delay_s in rules
    )
    said = [f"{channel} after {delay_s} s" for channel, delay_s in rules]
    _note(actor, "ways.rules", {urgency: said}, clock)
    return ways


@transaction.atomic
def set_quiet_hours(
    *, actor: Person, begins: time | None, ends: time | None, clock: TimeSource = database_now
) -> Ways:
    """The actor's ways with the hours in which low news waits; None and None for none.

    Raises Invalid when only one end is given. Pages come at any hour.
    """
    if (begins is None) != (ends is None):
        words = "Give both ends, or neither."
        raise Invalid("half_quiet", words, {"quiet_until": words})
    ways = _ways(actor)
    ways.quiet_from, ways.quiet_until = begins, ends
    ways.save(update_fields=["quiet_from", "quiet_until"])
    _note(actor, "ways.quiet", {"from": str(begins), "until": str(ends)}, clock)
    return ways


@transaction.atomic
def go_away(
    *, actor: Person, until: datetime, taker: Person | None, clock: TimeSource = database_now
) -> Ways:
    """The actor's ways, whose pages go to the taker until then.

    Raises Invalid with the fields `taker` and `until`: a page is never silenced, only handed on,
    to somebody who can be paged and is not away.
    """
    now = clock()
    problems: dict[str, str] = {}
    if taker is None or taker.pk == actor.pk or not _may_take(taker):
        problems["taker"] = "Name a colleague who takes your pages meanwhile."
    elif Ways.objects.filter(person=taker, away_until__gt=now).exists():
        problems["taker"] = f"{taker} is away too."
    if not now < until <= now + AWAY_MAX:
        problems["until"] = "A time within the next 30 days."
    if problems:
        raise Invalid("not_away", "Your pages must reach somebody.", problems)
    ways = _ways(actor)
    ways.away_until, ways.taker = until, taker
    ways.save(update_fields=["away_until", "taker"])
    _note(actor, "ways.away", {"until": until, "taker": str(taker)}, clock)
    letter = Letter(
        topic=f"person:{actor.pk}",
        cause=f"away:{actor.pk}:{now.timestamp():.6f}",
        recipient_id=taker.pk if taker else actor.pk,
        kind="takes_pages",
        subject=phrases.TAKES.format(actor=actor),
        body=phrases.TAKES_BODY.format(until=f"{until:%Y-%m-%d %H:%M}", actor=actor),
    )
    enqueue([letter], now=now)
    return ways


@transaction.atomic
def come_back(*, actor: Person, clock: TimeSource = database_now) -> Ways:
    """The actor's ways; pages reach the actor again."""
    ways = _ways(actor)
    if ways.away_until is not None:
        ways.away_until = ways.taker = None
        ways.save(update_fields=["away_until", "taker"])
        _note(actor, "ways.back", {}, clock)
    return ways


@transaction.atomic
def send_test(
    *, actor: Person, method: ContactMethod | None = None, clock: TimeSource = database_now
) -> Message:
    """A test message to one proved address, or to the actor's own mail. Raises Conflict."""
    now = clock()
    if method is not None and _own(actor, method).verified_at is None:
        raise Conflict("not_proved", "Prove this address first.")
    if method is not None and method.channel not in CHANNELS:
        raise Conflict("no_channel", "Nothing is sent there; it tells who speaks in that chat.")
    recent = Message.objects.filter(
        recipient=actor, kind=TEST, created_at__gt=now - timedelta(minutes=1)
    )
    if recent.count() >= 5:
        raise Conflict("too_many_tests", "Five tests a minute are enough.")
    number = Message.objects.filter(recipient=actor, kind=TEST).count() + 1
    letter = _letter(
        method or ContactMethod(person=actor, channel="email"),
        TEST,
        f"test:{actor.pk}:{number}",
        subject=phrases.TEST,
        body=phrases.TEST_BODY,
    )
    return enqueue([letter], now=now)[0]


def ready_channels(person: Person) -> list[str]:
    """The channels over which this person can be told: proved addresses, and their own mail."""
    proved = ContactMethod.objects.filter(
        person=person, is_active=True, verified_at__isnull=False
    ).values_list("channel", flat=True)
    have = {*proved, *(["email"] if person.email else [])}
    return [slug for slug in CHANNELS if slug in have and slug != "webhook"]


def _may_take(taker: Person) -> bool:
    return taker.is_active and taker.kind == Person.Kind.PERSON and bool(ready_channels(taker))


def _letter(method: ContactMethod, kind: str, cause: str, *, subject: str, body: str) -> Letter:
    """A letter to exactly this address; to the person's own mail where it is no row."""
    return Letter(
        topic=f"person:{method.person_id}",
        cause=cause,
        recipient_id=method.person_id,
        kind=kind,
        subject=subject,
        body=body,
        urgency=Urgency.HIGH,
        priority=5,
        channel=method.channel,
        data={"method": method.pk} if method.pk else {},
    )


def _named(method: ContactMethod) -> dict[str, str]:
    """The address as the audit keeps it."""
    return {
        "channel": method.channel,
        "address": shown_address(method.channel, method.address),
    }


def _digest(method: ContactMethod, code: str) -> str:
    text = f"{method.person_id}/{method.channel}/{method.address}/{code}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), sha256).hexdigest()


def _own(actor: Person, method: ContactMethod) -> ContactMethod:
    found = ContactMethod.objects.filter(pk=method.pk, person=actor).first()
    if found is None:
        raise Invalid("not_yours", "This address is not yours.")
    return found


def _lock(person: Person) -> None:
    Person.objects.select_for_update(of=("self",)).get(pk=person.pk)


def _ways(actor: Person) -> Ways:
    _lock(actor)
    return Ways.objects.get_or_create(person=actor)[0]


def _wrong(words: str) -> Invalid:
    return Invalid("wrong_code", words, {"code": words})


def _note(actor: Person, action: str, changes: dict[str, Any], clock: TimeSource) -> None:
    audit.record(actor=actor, action=action, subject=actor, changes=changes, clock=clock)
