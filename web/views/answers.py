"""The doors through which messages are answered: buttons, replies, keys; each proves who asks."""

from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.html import escape
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from notifications.answers import answered_by_text, person_at
from notifications.channels import slack as slack_channel
from notifications.channels import telephony
from notifications.channels.voice import voice_of
from notifications.links import person_of
from roles.instants import database_now
from web import doors
from web.answering import act_by_reply, act_by_token, in_words_of, unknown
from web.once import hear_once

KEY: Final = "4"


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def slack(request: HttpRequest) -> HttpResponse:
    """A button pressed in Slack, signed by Slack; what became of it is said in its place."""
    if not is_from_slack(request):
        return HttpResponse(status=401)
    payload = _payload(request.body)
    acts = payload.get("actions") or [{}]
    presser = person_at("slack", str((payload.get("user") or {}).get("id", "")))
    act, token = str(acts[0].get("action_id", "")), str(acts[0].get("value", ""))
    if act not in ("acknowledge", "take"):
        return HttpResponse()  # a link button: Slack tells of it, and there is nothing to do
    if presser is None:
        return told_in_slack(unproved("Slack"))
    return told_in_slack(act_by_token(token, act, via="slack", presser=presser))


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def mattermost(request: HttpRequest) -> HttpResponse:
    """A button pressed in Mattermost, which signs nothing: the token in it is our own signature."""
    try:
        context = orjson.loads(request.body)["context"]
        act, token = str(context["act"]), str(context["token"])
    except (ValueError, KeyError, TypeError):
        return HttpResponse(status=400)
    return JsonResponse({"ephemeral_text": act_by_token(token, act, via="mattermost")})


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def push(request: HttpRequest) -> HttpResponse:
    """A button pressed on a notification: the token came encrypted for this browser alone."""
    try:
        token = str(orjson.loads(request.body)["token"])
    except (ValueError, KeyError, TypeError):
        return HttpResponse(status=400)
    return JsonResponse({"text": act_by_token(token, "acknowledge", via="push")})


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def sms(request: HttpRequest) -> HttpResponse:
    """A text message that came back, signed by the provider."""
    if not _is_from_provider(request):
        return HttpResponse(status=401)
    number, text = request.POST.get("From", ""), request.POST.get("Body", "")[:400]
    person = person_at("sms", number)
    message = answered_by_text(person, text, database_now()) if person else None
    if person is None or message is None:
        with in_words_of(person):
            return _spoken(f"<Message>{escape(unknown())}</Message>")
    # The signature names no time; the provider's own number of the message makes it one of a kind.
    mark = request.POST.get("MessageSid") or database_now().isoformat()
    said = hear_once(person, f"sms:{mark}", lambda: act_by_reply(message))
    return _spoken("" if said is None else f"<Message>{escape(said)}</Message>")


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def voice(request: HttpRequest, token: str) -> HttpResponse:
    """A key pressed during a call, signed by the provider."""
    if not _is_from_provider(request):
        return HttpResponse(status=401)
    with in_words_of(person_of(token)):
        if request.POST.get("Digits", "") == KEY:
            said = act_by_token(token, "acknowledge", via="voice")
        else:
            said = _("Nothing was acknowledged.")
        language = voice_of(get_language() or "")
    return _spoken(f'<Say language="{language}">{escape(said)}</Say>')


def unproved(product: str) -> str:
    """What somebody is told whose account in a chat is nobody's here."""
    words = _("Your account in %(product)s is not proved in Tierline: see “How you are told”.")
    return words % {"product": product}


def is_from_slack(request: HttpRequest) -> bool:
    """Whether Slack itself sent this, within five minutes."""
    sent_at = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    now = database_now().timestamp()
    return slack_channel.is_genuine(request.body, sent_at, signature, now)


def told_in_slack(words: str) -> HttpResponse:
    """An answer that nobody but whoever asked reads."""
    return JsonResponse({"response_type": "ephemeral", "replace_original": False, "text": words})


def _payload(body: bytes) -> dict[str, Any]:
    """What Slack sends as a form with one field of JSON; empty where it is none."""
    try:
        found = orjson.loads(parse_qs(body.decode())["payload"][0])
    except (ValueError, KeyError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_from_provider(request: HttpRequest) -> bool:
    url = settings.PUBLIC_URL.rstrip("/") + request.get_full_path()
    given = {name: request.POST.get(name, "") for name in request.POST}
    return telephony.is_genuine(url, given, request.headers.get("X-Twilio-Signature", ""))


def _spoken(inside: str) -> HttpResponse:
    """An answer in the provider's markup."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'
    return HttpResponse(text, content_type="text/xml; charset=utf-8")
