"""Registers the escalation app and connects its receivers."""

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class EscalationConfig(AppConfig):
    name = "escalation"
    verbose_name = "Escalation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models can be imported only once the registry is ready.
        from escalation.alarms import on_dead_letter
        from escalation.letters import KINDS
        from escalation.models import Clock, Run
        from escalation.reactions import on_recorded
        from escalation.recounting import on_calendar_saved, on_roster_changed, on_team_saved
        from notifications.hooks import name_kinds, on_dead
        from roles.models import Calendar, Override, ScheduleRevision, Team
        from tickets.models import TimelineEvent
        from tickets.opening import expect_rows
        from tickets.timeline import recorded

        on_dead(on_dead_letter)
        name_kinds(KINDS)
        recorded.connect(on_recorded, dispatch_uid="escalation")
        expect_rows({TimelineEvent: 2, Clock: 4, Run: 1})
        post_save.connect(on_calendar_saved, sender=Calendar, dispatch_uid="escalation calendars")
        post_save.connect(on_team_saved, sender=Team, dispatch_uid="escalation teams")
        for roster in (ScheduleRevision, Override):
            uid = f"escalation rosters {roster.__name__}"
            post_save.connect(on_roster_changed, sender=roster, dispatch_uid=uid)
            post_delete.connect(on_roster_changed, sender=roster, dispatch_uid=uid)
