"""Take over the tables of saved views and of acts on many tickets: nothing is made or copied.

The step `web.0002` lets go of them and asks to be run before this one.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0006_find_restricted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="SavedView",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("name", models.CharField(max_length=40)),
                        ("query", models.CharField(help_text="The query string of the queue.", max_length=1000)),
                        ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ("owner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="saved_views", to=settings.AUTH_USER_MODEL)),
                        ("team", models.ForeignKey(blank=True, help_text="Whose members see it too.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="roles.team")),
                    ],
                    options={
                        "db_table": "web_savedview",
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(models.F("owner"), django.db.models.functions.text.Lower("name"), name="saved_view_name_once_per_owner"),
                            models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="saved_view_has_name"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BulkAct",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("token", models.UUIDField(unique=True)),
                        ("act", models.CharField(max_length=20)),
                        ("done_at", models.DateTimeField()),
                        ("undone_at", models.DateTimeField(blank=True, null=True)),
                        ("done", models.JSONField(default=list)),
                        ("refused", models.JSONField(default=list)),
                        ("actor", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        "db_table": "web_bulkact",
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["done_at"], name="bulk_act_by_time")],
                    },
                ),
            ],
        ),
    ]
