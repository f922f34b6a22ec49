"""Migrations that have become few: who has all old ones goes on, who has some is told so."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from config.checks import stopped_half_way
from tickets.models import SavedView

pytestmark = pytest.mark.django_db


def test_a_site_with_all_old_migrations_has_nothing_to_do_but_note_the_new_ones():
    folded = MigrationExecutor(connection).loader.replacements
    for app, name in folded:
        MigrationRecorder(connection).record_unapplied(app, name)
    executor = MigrationExecutor(connection)
    assert not executor.migration_plan(executor.loader.graph.leaf_nodes())
    assert not stopped_half_way(executor.loader)
    executor.check_replacements()
    assert folded.keys() <= MigrationRecorder(connection).applied_migrations().keys()


def test_a_site_stopped_between_old_migrations_is_told_what_to_do():
    MigrationRecorder(connection).record_unapplied("tickets", "0020_editions_of_routes")
    with pytest.raises(SystemCheckError, match="The tables of tickets stand in the middle"):
        call_command("check", databases=["default"])


def test_views_and_acts_on_many_change_floors_without_a_row_lost(django_user_model):
    owner = django_user_model.objects.create(username="ines", name="Ines")
    kept = SavedView.objects.create(owner=owner, name="Urgent", query="priority=1")
    steps = [("web", "0002_hand_views_down"), ("tickets", "0007_views_and_bulk_acts")]
    for step in steps:
        MigrationRecorder(connection).record_unapplied(*step)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    assert [(step.app_label, step.name) for step, _ in plan] == steps, "let go of, then taken over"
    executor.migrate(executor.loader.graph.leaf_nodes(), plan=plan)
    assert SavedView.objects.get().pk == kept.pk
