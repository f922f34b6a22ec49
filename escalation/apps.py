"""Registers the escalation app and connects its one receiver."""

from django.apps import AppConfig


class EscalationConfig(AppConfig):
    name = "escalation"
    verbose_name = "Escalation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only once the registry is ready.
        from escalation.alarms import on_dead_letter
        from escalation.models import Clock, Run
        from escalation.reactions import on_recorded
        from notifications.hooks import on_dead
        from tickets.models import TimelineEvent
        from tickets.opening import expect_rows
        from tickets.timeline import recorded

        on_dead(on_dead_letter)
        recorded.connect(on_recorded, dispatch_uid="escalation")
        expect_rows({TimelineEvent: 2, Clock: 3, Run: 1})
