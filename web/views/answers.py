"""The doors through which messages are answered: buttons, replies, keys; each proves who asks."""

from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from notifications.answers import answered_by_text, person_at
from notifications.channels import slack as slack_channel
from notifications.channels import telephony
from notifications.links import read_link
from roles.instants import database_now
from roles.refusals import Invalid, Refused
from tickets.assignment import unwatch
from tickets.models import Ticket
from web import doors
from web.answering import act_by_reply, act_by_token, meant_by
from web.chatcommand import answer

UNKNOWN: Final = "Tierline does not know what this answers. Please open the ticket."
UNPROVED: Final = "Your Slack account is not proved in Tierline: see “How you are told”."
KEY: Final = "4"


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def slack(request: HttpRequest) -> HttpResponse:
    """A button pressed in Slack, signed by Slack; what became of it is said in its place."""
    if not _is_from_slack(request):
        return HttpResponse(status=401)
    payload = _payload(request.body)
    acts = payload.get("actions") or [{}]
    presser = person_at("slack", str((payload.get("user") or {}).get("id", "")))
    act, token = str(acts[0].get("action_id", "")), str(acts[0].get("value", ""))
    if act not in ("acknowledge", "take"):
        return HttpResponse()  # a link button: Slack tells of it, and there is nothing to do
    if presser is None:
        return _told(UNPROVED)
    return _told(_outcome(token, act, via="slack", presser=presser))


@csrf_exempt
@doors.public(action="view", methods=doors.POST)
def slack_command(request: HttpRequest) -> HttpResponse:
    """/tierline, signed by Slack, by somebody whose Slack account is proved here."""
    if not _is_from_slack(request):
        return HttpResponse(status=401)
    person = person_at("slack", request.POST.get("user_id", ""))
    if person is None:
        return _told(UNPROVED)
    words, room = request.POST.get("text", "")[:4000], request.POST.get("channel_id", "")
    return _told(slack_channel.escape(answer(person, words, room=room)))


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def mattermost(request: HttpRequest) -> HttpResponse:
    """A button pressed in Mattermost, which signs nothing: the token in it is our own signature."""
    try:
        context = orjson.loads(request.body)["context"]
        act, token = str(context["act"]), str(context["token"])
    except (ValueError, KeyError, TypeError):
        return HttpResponse(status=400)
    return JsonResponse({"ephemeral_text": _outcome(token, act, via="mattermost")})


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def sms(request: HttpRequest) -> HttpResponse:
    """A text message that came back, signed by the provider."""
    if not _is_from_provider(request):
        return HttpResponse(status=401)
    number, text = request.POST.get("From", ""), request.POST.get("Body", "")[:400]
    message = answered_by_text(number, text, database_now())
    if message is None:
        return _spoken(f"<Message>{escape(UNKNOWN)}</Message>")
    try:
        said = act_by_reply(message)
    except (Refused, Ticket.DoesNotExist) as refused:
        said = refused.detail if isinstance(refused, Refused) else UNKNOWN
    return _spoken(f"<Message>{escape(said)}</Message>")


@csrf_exempt
@doors.public(action="acknowledge", methods=doors.POST)
def voice(request: HttpRequest, token: str) -> HttpResponse:
    """A key pressed during a call, signed by the provider."""
    if not _is_from_provider(request):
        return HttpResponse(status=401)
    if request.POST.get("Digits", "") != KEY:
        return _spoken("<Say>Nothing was acknowledged.</Say>")
    return _spoken(f"<Say>{escape(_outcome(token, 'acknowledge', via='voice'))}</Say>")


@csrf_exempt
@never_cache
@doors.public(action="watch", methods=doors.FORM)
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Stop watching: a mail program posts here with one press, a person is asked first."""
    try:
        person, ticket = meant_by(read_link(token, action="leave"))
        if request.method == "POST":
            unwatch(ticket=ticket, actor=person, via="link")
    except (Refused, Ticket.DoesNotExist):
        refused = Invalid("link_invalid", _("This link is not valid any more."))
        return render(
            request,
            "web/links/refused.html",
            {"code": refused.code, "detail": refused.detail},
            status=404,
        )
    return render(request, "web/links/leave.html", {"ticket": ticket, "token": token})


def _outcome(token: str, act: str, *, via: str, presser: Any = None) -> str:
    """What became of an act, in a sentence for whoever pressed."""
    try:
        return act_by_token(token, act, via=via, presser=presser)
    except Refused as refused:
        return refused.detail
    except Ticket.DoesNotExist:
        return UNKNOWN


def _is_from_slack(request: HttpRequest) -> bool:
    sent_at = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    now = database_now().timestamp()
    return slack_channel.is_genuine(request.body, sent_at, signature, now)


def _payload(body: bytes) -> dict[str, Any]:
    """What Slack sends as a form with one field of JSON; empty where it is none."""
    try:
        found = orjson.loads(parse_qs(body.decode())["payload"][0])
    except (ValueError, KeyError):
        return {}
    return found if isinstance(found, dict) else {}


def _told(words: str) -> HttpResponse:
    return JsonResponse({"response_type": "ephemeral", "replace_original": False, "text": words})


def _is_from_provider(request: HttpRequest) -> bool:
    url = settings.PUBLIC_URL.rstrip("/") + request.get_full_path()
    given = {name: request.POST.get(name, "") for name in request.POST}
    return telephony.is_genuine(url, given, request.headers.get("X-Twilio-Signature", ""))


def _spoken(inside: str) -> HttpResponse:
    """An answer in the provider's markup."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'
    return HttpResponse(text, content_type="text/xml; charset=utf-8")
