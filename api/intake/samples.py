"""Says what would become of a pasted payload at a source, without storing any of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from api.intake import alertmanager, cloudevents, grafana, pagerduty, sns
from api.intake.guess import guess
from api.intake.opsgenie import Unprocessable, parse_create
from api.intake.reading import NotUnderstood, plain
from roles.models import Team
from tickets.incoming import IncomingAlert, fitted, level_of, urgency_of
from tickets.judging import policy_of
from tickets.mapping import read_mapped
from tickets.models import AlertSource, Service

Products = AlertSource.Product


@dataclass(frozen=True)
class Shown:
    """One alert as it would be taken."""

    alert: IncomingAlert
    group_key: str
    priority: int
    place: str
    suppressed: str


def show_sample(source: AlertSource, payload: Any, now: datetime) -> list[Shown]:
    """What each alert of the payload would come to. Raises NotUnderstood and Unmapped."""
    policy = policy_of(source, now)
    shown = []
    for alert in map(fitted, _read(source, payload)):
        verdict = policy.judge(alert, now)
        shown.append(
            Shown(
                alert=alert,
                group_key=verdict.group_key,
                priority=urgency_of(level_of(verdict.severity)),
                place=_place(source, verdict.service_id, verdict.team_id),
                suppressed=verdict.suppressed,
            )
        )
    return shown


def _read(source: AlertSource, payload: Any) -> list[IncomingAlert]:
    product = source.product
    if product == Products.ALERTMANAGER:
        return alertmanager.parse(payload)
    if product == Products.GRAFANA:
        return grafana.parse(payload)
    if product == Products.CLOUDEVENTS:
        return cloudevents.parse({"Content-Type": cloudevents.STRUCTURED}, payload)
    if product == Products.SNS:
        return sns.parse(payload)
    if product == Products.PAGERDUTY:
        event = pagerduty.parse(payload, key="pasted", new_key="new")
        return [event.alert] if event.alert is not None else []
    if product == Products.OPSGENIE:
        return [_opsgenie(payload)]
    return read_mapped(source.mapping, plain(payload)) if source.mapping else guess(payload)


def _opsgenie(payload: Any) -> IncomingAlert:
    try:
        return parse_create(payload, uid=uuid4()).alert
    except Unprocessable as wrong:
        raise NotUnderstood(*wrong.errors.values()) from None


def _place(source: AlertSource, service_id: int | None, team_id: int | None) -> str:
    service = Service.objects.get(pk=service_id) if service_id else source.service
    team = Team.objects.get(pk=team_id) if team_id else None if service_id else source.team
    return ", ".join(str(one) for one in (service, team) if one is not None) or "by its service"
