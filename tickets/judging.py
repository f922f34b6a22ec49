"""What a source's rules and maintenance windows say of an alert: where it goes, if anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject, Now

from tickets.incoming import IncomingAlert, facts_of, shortened
from tickets.matching import holds, texts_at
from tickets.models import AlertRule, AlertSource, Kind, Maintenance

TOLD_OF_RULE: Final = (
    *("name", "conditions", "act", "severity", "service_id", "team_id", "kind"),
    *("restricted", "group_field"),
)
TOLD_OF_WINDOW: Final = ("name", "conditions", "starts_at", "ends_at")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where one alert goes; `suppressed` says why it opens nothing, until `held_until` if set."""

    severity: str
    group_key: str
    service_id: int | None = None
    team_id: int | None = None
    kind: str = Kind.INCIDENT
    restricted: bool = False
    suppressed: str = ""
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a source in their order, and the maintenance windows that concern it."""

    source: AlertSource
    rules: Sequence[Row]
    windows: Sequence[Row]

    def judge(self, alert: IncomingAlert, now: datetime) -> Verdict:
        """The first rule that fits decides; a maintenance window suppresses whatever it says."""
        facts = facts_of(alert, self.source)
        rule = next((one for one in self.rules if holds(one["conditions"], facts)), {})
        why, until = self._rest(facts, rule, now)
        return Verdict(
            severity=rule.get("severity") or alert.severity,
            group_key=self._group(alert, facts, rule.get("group_field", "")),
            service_id=rule.get("service_id"),
            team_id=rule.get("team_id"),
            kind=rule.get("kind") or Kind.INCIDENT,
            restricted=bool(rule.get("restricted")),
            suppressed=why,
            held_until=until,
        )

    def _rest(self, facts: Row, rule: Row, now: datetime) -> tuple[str, datetime | None]:
        if rule.get("act") == AlertRule.Act.SUPPRESS:
            return f"rule: {rule['name']}"[:250], None
        for window in self.windows:
            begins, ends = _moment(window["starts_at"]), _moment(window["ends_at"])
            if begins <= now < ends and holds(window["conditions"], facts):
                return f"maintenance: {window['name']}"[:250], ends
        return "", None

    def _group(self, alert: IncomingAlert, facts: Row, path: str) -> str:
        kinds = AlertSource.Grouping
        grouping = kinds.FIELD if path else self.source.grouping
        if grouping == kinds.ALERT:
            return alert.dedup_key
        if grouping == kinds.SOURCE:
            return "~all"
        if grouping == kinds.FIELD:
            path = path or self.source.group_field
            value = ",".join(texts_at(facts, path))
            return shortened(f"~{path}={value}", 1000) if value else alert.dedup_key
        return alert.group_key


def policy_of(source: AlertSource, now: datetime) -> Policy:
    """The source's rules and windows: as they were read with it, else by two queries."""
    if hasattr(source, "rules_read"):
        return Policy(source, source.rules_read, source.windows_read)  # type: ignore[attr-defined]
    rules = _rules(Q(source=source) | Q(source=None)).values(*TOLD_OF_RULE)
    windows = Maintenance.objects.filter(Q(source=source) | Q(source=None), ends_at__gt=now)
    told = windows.values(*TOLD_OF_WINDOW)
    return Policy(source, list(rules), list(told))


def with_policy(sources: QuerySet[AlertSource]) -> QuerySet[AlertSource]:
    """The sources, each with its rules and windows, in the same statement."""
    mine = Q(source=OuterRef("pk")) | Q(source=None)
    rule = JSONObject(**{name: name for name in TOLD_OF_RULE})
    windows = Maintenance.objects.filter(mine, ends_at__gt=Now()).order_by("pk")
    told = JSONObject(**{name: name for name in TOLD_OF_WINDOW})
    return sources.annotate(
        rules_read=ArraySubquery(_rules(mine).values(told=rule)),
        windows_read=ArraySubquery(windows.values(told=told)),
    )


def _rules(mine: Q) -> QuerySet[AlertRule]:
    """Active rules in the order in which they are tried: a source's own come before all others."""
    rows = AlertRule.objects.filter(mine, is_active=True)
    return rows.order_by(F("source").asc(nulls_last=True), "position", "pk")


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
