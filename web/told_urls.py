"""The addresses of messages: how one is told, who was told what, and answers from elsewhere."""

from django.urls import path

from web.ticketkeys import register
from web.views import answers, commands, delivered, leaving, reach

register()

ADDRESSES = [
    path("push-worker.js", reach.push_worker, name="push-worker"),
    path("you/told", reach.told, name="told"),
    path("you/told/add", reach.add, name="told-add"),
    path("you/told/test", reach.test_mail, name="told-test-mail"),
    path("you/told/rules/<slug:urgency>", reach.rules, name="told-rules"),
    path("you/told/quiet", reach.quiet, name="told-quiet"),
    path("you/told/away", reach.away, name="told-away"),
    path("you/told/back", reach.back, name="told-back"),
    path("you/told/<int:pk>/prove", reach.prove, name="told-prove"),
    path("you/told/<int:pk>/<slug:verb>", reach.change_method, name="told-method"),
    path("tickets/<ticket_key:key>/told", delivered.delivered, name="delivered"),
    path("tickets/<ticket_key:key>/told/again", delivered.again, name="delivered-again"),
    path("answers/slack", answers.slack, name="answer-slack"),
    path("answers/slack/command", commands.slack, name="command-slack"),
    path("answers/mattermost", answers.mattermost, name="answer-mattermost"),
    path("answers/mattermost/command", commands.mattermost, name="command-mattermost"),
    path("answers/teams/command", commands.teams, name="command-teams"),
    path("answers/push", answers.push, name="answer-push"),
    path("answers/sms", answers.sms, name="answer-sms"),
    path("answers/voice/<str:token>", answers.voice, name="answer-voice"),
    path("m/<str:token>/leave", leaving.leave, name="leave-link"),
    path("m/<str:token>/unsubscribe", leaving.unsubscribe, name="unsubscribe-link"),
]
