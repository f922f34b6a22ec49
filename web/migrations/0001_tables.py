"""The tables of saved views, acts on many tickets and forms sent once."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import roles.tables
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("web", "0001_views_bulk_acts_and_forms")]
    initial = True
    dependencies = [('roles', '0002_guards')]

    operations = [
        roles.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name='SavedView',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
                        ('name', models.CharField(max_length=40)),
                        ('query', models.CharField(help_text='The query string of the queue.', max_length=1000)),
                        ('team', models.ForeignKey(blank=True, help_text='Whose members see it too.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='roles.team')),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ],
                    options={
                        'ordering': ['id'],
                        'constraints': [models.UniqueConstraint(models.F('owner'), django.db.models.functions.text.Lower('name'), name='saved_view_name_once_per_owner'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='saved_view_has_name')],
                    },
                ),
                migrations.CreateModel(
                    name='BulkAct',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('token', models.UUIDField(unique=True)),
                        ('actor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('act', models.CharField(max_length=20)),
                        ('done_at', models.DateTimeField()),
                        ('undone_at', models.DateTimeField(blank=True, null=True)),
                        ('done', models.JSONField(default=list)),
                        ('refused', models.JSONField(default=list)),
                    ],
                    options={
                        'ordering': ['-id'],
                        'indexes': [models.Index(fields=['done_at'], name='bulk_act_by_time')],
                    },
                ),
                migrations.CreateModel(
                    name='SentForm',
                    fields=[
                        ('token', models.UUIDField(primary_key=True, serialize=False)),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('onward', models.CharField(max_length=300)),
                        ('sent_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                    options={
                        'indexes': [models.Index(fields=['sent_at'], name='sent_form_by_time')],
                    },
                ),
            ],
        ),
    ]
