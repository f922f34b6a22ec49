"""Commands given in a chat: each product proves itself, and its account is one that is proved here.

A call that is recorded and sent again does nothing.
"""

import hmac
import re
from html import unescape
from typing import Any, Final

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from notifications.accounts import TEAMS_ACCOUNT, connect
from notifications.answers import person_at
from notifications.channels import slack as slack_channel
from notifications.channels import teams as teams_channel
from notifications.channels.words import without
from roles.instants import database_now
from roles.refusals import Refused
from web import doors
from web.answering import in_words_of
from web.chatcommand import answer
from web.once import hear_once
from web.retold import retold
from web.views.answers import is_from_slack, told_in_slack, unproved

WORDS_MAX: Final = 4000
_MENTION: Final = re.compile(r"<at>.*?</at>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_CONNECT: Final = re.compile(r"connect\s+(\S+)", re.IGNORECASE)


@csrf_exempt
@doors.public(action="view", methods=doors.POST)
def slack(request: HttpRequest) -> HttpResponse:
    """/tierline in Slack, signed by Slack."""
    if not is_from_slack(request):
        return HttpResponse(status=401)
    person = person_at("slack", request.POST.get("user_id", ""))
    if person is None:
        return told_in_slack(unproved("Slack"))
    words, room = request.POST.get("text", "")[:WORDS_MAX], request.POST.get("channel_id", "")
    mark = request.headers["X-Slack-Signature"]
    said = hear_once(person, mark, lambda: answer(person, words, room=room))
    if said is None:
        return HttpResponse(status=409)
    return told_in_slack(slack_channel.escape(said))


@csrf_exempt
@doors.public(action="view", methods=doors.POST)
def mattermost(request: HttpRequest) -> HttpResponse:
    """/tierline in Mattermost, which proves itself by the token that it gave the site."""
    token, given = settings.MATTERMOST_COMMAND_TOKEN, request.POST.get("token", "")
    if not token or not hmac.compare_digest(token.encode(), given.encode()):
        return HttpResponse(status=401)
    person = person_at("mattermost", "@" + request.POST.get("user_name", "").lower())
    words = request.POST.get("text", "")[:WORDS_MAX]
    said = answer(person, words) if person else unproved("Mattermost")
    return JsonResponse({"response_type": "ephemeral", "text": without(said, "\\`*_[]()#~|<>")})


@csrf_exempt
@doors.public(action="view", methods=doors.POST)
def teams(request: HttpRequest) -> HttpResponse:
    """@Tierline in Microsoft Teams, an outgoing webhook that signs with the secret it gave."""
    signature = request.headers.get("Authorization", "")
    if not teams_channel.is_genuine(request.body, signature):
        return HttpResponse(status=401)
    activity = _activity(request.body)
    if not teams_channel.is_fresh(str(activity.get("timestamp", "")), database_now()):
        return HttpResponse(status=401)
    account = str((activity.get("from") or {}).get("aadObjectId", ""))[:100]
    words = _plain(str(activity.get("text", "")))[:WORDS_MAX]
    person = person_at(TEAMS_ACCOUNT, account) if account else None
    if account and (asked := _CONNECT.fullmatch(words)):
        return _told(_connected(account, asked[1]))
    if person is None:
        return _told(unproved("Microsoft Teams"))
    said = hear_once(person, signature, lambda: answer(person, words))
    return HttpResponse(status=409) if said is None else _told(said)


def _connected(account: str, code: str) -> str:
    try:
        person = connect(channel=TEAMS_ACCOUNT, address=account, code=code)
    except Refused as refused:
        return retold(refused.detail)
    with in_words_of(person):
        return answer(person, "")


def _activity(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(text: str) -> str:
    """What was typed after the name of the webhook, without the product's markup."""
    bare = _TAG.sub(" ", _MENTION.sub(" ", text))
    return " ".join(unescape(bare).split())


def _told(words: str) -> HttpResponse:
    """An answer below what was asked: the whole channel reads it."""
    lines = [teams_channel.literal(line) for line in words.split("\n")]
    return JsonResponse({"type": "message", "text": "\n\n".join(lines)})
