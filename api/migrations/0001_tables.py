"""The table of answers kept under their Idempotency-Key."""

import django.db.models.deletion
import roles.tables
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("api", "0001_initial")]
    initial = True
    dependencies = [('roles', '0002_guards')]

    operations = [
        roles.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name='IdempotencyKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('token', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='roles.apitoken')),
                        ('key', models.CharField(max_length=255)),
                        ('request', models.CharField(help_text='SHA-256 of method, address and body.', max_length=64)),
                        ('status', models.PositiveSmallIntegerField()),
                        ('headers', models.JSONField(default=dict)),
                        ('body', models.TextField(blank=True)),
                        ('created_at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['created_at'], name='idempotency_key_by_age')],
                        'constraints': [models.UniqueConstraint(fields=('person', 'token', 'key'), name='idempotency_key_once_per_caller', nulls_distinct=False)],
                    },
                ),
            ],
        ),
    ]
