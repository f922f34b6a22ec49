"""The addresses of pages about the service itself: on call, who does what, policies."""

from django.urls import path

from web.views import calendars, figures, guide, oncall, policies, simulations, standing_in

ADDRESSES = [
    path("on-call", oncall.on_call_now, name="on-call"),
    path("on-call/mine", oncall.own_shifts, name="on-call-mine"),
    path("on-call/mine/link", calendars.new_link, name="on-call-link"),
    path("on-call/mine/link/<int:pk>/end", calendars.end_link, name="on-call-link-end"),
    path("on-call/swaps/<int:pk>/<slug:verb>", standing_in.answer_swap, name="swap-answer"),
    path("on-call/team/<slug:slug>", oncall.team_calendar, name="on-call-team"),
    path("on-call/team/<slug:slug>/stand-in", standing_in.stand_in, name="stand-in"),
    path(
        "on-call/team/<slug:slug>/stand-in/<int:pk>/end",
        standing_in.end_stand_in,
        name="stand-in-end",
    ),
    path("on-call/team/<slug:slug>/swap", standing_in.swap, name="swap"),
    path("guide", guide.guide, name="guide"),
    path("guide/tier/<slug:slug>", guide.guide_tier, name="guide-tier"),
    path("guide/team/<slug:slug>", guide.guide_team, name="guide-team"),
    path("guide/duty/<slug:slug>", guide.guide_duty, name="guide-duty"),
    path("figures", figures.first, name="figures"),
    path("figures/mails/<int:pk>/end", figures.stop_mail, name="board-mail-end"),
    path("figures/<slug:slug>/mail", figures.mail, name="board-mail"),
    path("figures/mine", figures.own, name="own-load"),
    path("figures/of/<slug:slug>.<slug:form>", figures.behind_file, name="figure-file"),
    path("figures/<slug:slug>.<slug:form>", figures.board_file, name="board-file"),
    path("figures/of/<slug:slug>", figures.behind, name="figure"),
    path("figures/<slug:slug>", figures.board, name="board"),
    path("policies", policies.policies, name="policies"),
    path("policies/new", policies.new, name="policy-new"),
    path("policies/<slug:slug>", policies.policy, name="policy"),
    path("policies/<slug:slug>/history", policies.history, name="policy-history"),
    path("policies/<slug:slug>/draft", policies.edit, name="policy-edit"),
    path("policies/<slug:slug>/publish", policies.publish, name="policy-publish"),
    path("policies/<slug:slug>/move", policies.move, name="policy-move"),
    path("policies/<slug:slug>/simulate", simulations.simulate, name="policy-simulate"),
    path("simulations/<int:pk>", simulations.simulation, name="simulation"),
    path("simulations/<int:pk>/stop", simulations.stop_simulation, name="simulation-stop"),
]
