"""The tables of messages, addresses and the ways to reach somebody."""

import django.contrib.postgres.fields
import django.db.models.deletion
import roles.tables
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("notifications", "0001_initial"), ("notifications", "0002_hooks"), ("notifications", "0003_ways"), ("notifications", "0004_message_texts"), ("notifications", "0005_subscriptions"), ("notifications", "0006_messages_opened"), ("notifications", "0007_team_rules")]
    initial = True
    dependencies = [('roles', '0002_guards')]

    operations = [
        roles.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name='ContactMethod',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_methods', to=settings.AUTH_USER_MODEL)),
                        ('channel', models.CharField(default='email', max_length=20)),
                        ('address', models.CharField(max_length=1000)),
                        ('verified_at', models.DateTimeField(blank=True, null=True)),
                        ('is_active', models.BooleanField(default=True)),
                        ('digest', models.CharField(blank=True, editable=False, max_length=64)),
                        ('digest_at', models.DateTimeField(editable=False, null=True)),
                        ('guesses', models.PositiveSmallIntegerField(default=0, editable=False)),
                    ],
                    options={
                        'ordering': ['person', 'channel', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('person', 'channel', 'address'), name='contact_method_once'), models.CheckConstraint(condition=models.Q(models.Q(('channel', ''), _negated=True), models.Q(('address', ''), _negated=True)), name='contact_method_filled')],
                    },
                ),
                migrations.CreateModel(
                    name='Ways',
                    fields=[
                        ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='ways', serialize=False, to=settings.AUTH_USER_MODEL)),
                        ('quiet_from', models.TimeField(blank=True, null=True)),
                        ('quiet_until', models.TimeField(blank=True, null=True)),
                        ('away_until', models.DateTimeField(blank=True, null=True)),
                        ('taker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='takes_for', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name_plural': 'ways',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_until__isnull', True)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='ways_quiet_hours_have_both_ends'), models.CheckConstraint(condition=models.Q(models.Q(('away_until__isnull', True), ('taker__isnull', True)), models.Q(('away_until__isnull', False), ('taker__isnull', False)), _connector='OR'), name='ways_away_has_a_taker'), models.CheckConstraint(condition=models.Q(('taker__isnull', True), models.Q(('taker', models.F('person')), _negated=True), _connector='OR'), name='ways_taker_is_another')],
                    },
                ),
                migrations.CreateModel(
                    name='ContactRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ways', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='notifications.ways')),
                        ('urgency', models.CharField(choices=[('high', 'High'), ('low', 'Low')], max_length=4)),
                        ('channel', models.CharField(max_length=20)),
                        ('delay_s', models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        'ordering': ['ways', 'urgency', 'delay_s', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('ways', 'urgency', 'channel'), name='contact_rule_once'), models.CheckConstraint(condition=models.Q(('urgency__in', ['high', 'low'])), name='contact_rule_urgency_known'), models.CheckConstraint(condition=models.Q(models.Q(('channel', ''), _negated=True), ('delay_s__lte', 3600)), name='contact_rule_in_bounds')],
                    },
                ),
                migrations.CreateModel(
                    name='TeamRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_rules', to='roles.team')),
                        ('urgency', models.CharField(choices=[('high', 'High'), ('low', 'Low')], max_length=4)),
                        ('channel', models.CharField(max_length=20)),
                        ('delay_s', models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        'ordering': ['team', 'urgency', 'delay_s', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('team', 'urgency', 'channel'), name='team_rule_once'), models.CheckConstraint(condition=models.Q(('urgency__in', ['high', 'low'])), name='team_rule_urgency_known'), models.CheckConstraint(condition=models.Q(models.Q(('channel', ''), _negated=True), ('delay_s__lte', 3600)), name='team_rule_in_bounds')],
                    },
                ),
                migrations.CreateModel(
                    name='Hook',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('slug', models.SlugField(max_length=64, unique=True)),
                        ('name', models.CharField(max_length=120)),
                        ('url', models.CharField(max_length=500, verbose_name='address')),
                        ('account', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='hook', to=settings.AUTH_USER_MODEL)),
                        ('nonce', models.CharField(editable=False, max_length=32)),
                        ('former_nonce', models.CharField(blank=True, editable=False, max_length=32)),
                        ('former_until', models.DateTimeField(blank=True, editable=False, help_text='Until then the former secret signs too.', null=True)),
                        ('is_active', models.BooleanField(default=True)),
                        ('ended_because', models.CharField(blank=True, max_length=300, verbose_name='switched off because')),
                        ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), blank=True, default=list, help_text='Types of events, such as ticket.opened, or ticket.* for all; empty: only policies call it.', size=None)),
                        ('filters', models.JSONField(blank=True, default=dict, help_text='Which tickets: {"team": ["desk"], "priority": [1, 2]}; empty: all but restricted ones, which are told to nobody.')),
                        ('shape', models.CharField(choices=[('standard', 'Standard Webhooks'), ('pagerduty', 'PagerDuty V3'), ('opsgenie', 'Opsgenie')], default='standard', max_length=10, verbose_name='form')),
                    ],
                    options={
                        'ordering': ['slug'],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('url', ''), _negated=True), models.Q(('nonce', ''), _negated=True)), name='hook_filled')],
                    },
                ),
                migrations.CreateModel(
                    name='MessageText',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(help_text='Such as page, received, replied, resolved.', max_length=40)),
                        ('channel', models.CharField(blank=True, help_text='Empty for all channels.', max_length=20)),
                        ('language', models.CharField(default='en', max_length=10)),
                        ('subject', models.CharField(blank=True, help_text='Empty to leave it as it is.', max_length=300)),
                        ('body', models.TextField(blank=True, help_text='Empty to leave it as it is.')),
                        ('is_active', models.BooleanField(default=True)),
                    ],
                    options={
                        'ordering': ['kind', 'language', 'channel'],
                        'constraints': [models.UniqueConstraint(fields=('kind', 'channel', 'language'), name='message_text_once'), models.CheckConstraint(condition=models.Q(models.Q(('kind', ''), _negated=True), models.Q(('language', ''), _negated=True)), name='message_text_about_something')],
                    },
                ),
                migrations.CreateModel(
                    name='Message',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(editable=False, max_length=36, unique=True)),
                        ('topic', models.CharField(max_length=80)),
                        ('cause', models.CharField(max_length=120)),
                        ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to=settings.AUTH_USER_MODEL)),
                        ('channel', models.CharField(default='email', max_length=20)),
                        ('rung', models.PositiveSmallIntegerField(default=0)),
                        ('kind', models.CharField(max_length=40)),
                        ('urgency', models.CharField(choices=[('high', 'High'), ('low', 'Low')], default='low', max_length=4)),
                        ('priority', models.PositiveSmallIntegerField(default=3)),
                        ('subject', models.TextField()),
                        ('body', models.TextField(blank=True)),
                        ('data', models.JSONField(blank=True, default=dict)),
                        ('clearance', models.CharField(blank=True, max_length=80)),
                        ('state', models.CharField(choices=[('queued', 'Queued'), ('sent', 'Sent'), ('dropped', 'Dropped'), ('dead', 'Dead letter'), ('withdrawn', 'Withdrawn')], default='queued', max_length=10)),
                        ('not_before', models.DateTimeField(blank=True, null=True)),
                        ('next_attempt_at', models.DateTimeField()),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('leased_until', models.DateTimeField(blank=True, null=True)),
                        ('lease_epoch', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('sent_at', models.DateTimeField(blank=True, null=True)),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('finished_reason', models.TextField(blank=True)),
                        ('acted_at', models.DateTimeField(blank=True, null=True)),
                        ('opened_at', models.DateTimeField(blank=True, help_text='When its recipient, signed in, followed its link.', null=True)),
                    ],
                    options={
                        'ordering': ['-id'],
                        'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['urgency', 'priority', 'next_attempt_at'], name='message_to_send'), models.Index(fields=['topic', '-id'], name='message_by_topic'), models.Index(condition=models.Q(('state', 'dead')), fields=['-id'], name='message_dead_letters')],
                        'constraints': [models.UniqueConstraint(fields=('cause', 'recipient', 'channel', 'rung'), name='message_once'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sent', 'dropped', 'dead', 'withdrawn'])), name='message_state_known'), models.CheckConstraint(condition=models.Q(('urgency__in', ['high', 'low'])), name='message_urgency_known'), models.CheckConstraint(condition=models.Q(('priority__gte', 1), ('priority__lte', 5)), name='message_priority_range'), models.CheckConstraint(condition=models.Q(models.Q(('topic', ''), _negated=True), models.Q(('cause', ''), _negated=True), models.Q(('channel', ''), _negated=True), models.Q(('kind', ''), _negated=True)), name='message_addressed'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state', 'queued')), models.Q(models.Q(('state', 'queued'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='message_finished_has_time'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sent']), models.Q(('finished_reason', ''), _negated=True), _connector='OR'), name='message_unsent_has_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='message_sent_has_time'), models.CheckConstraint(condition=models.Q(('state', 'queued'), ('leased_until__isnull', True), _connector='OR'), name='message_lease_only_queued'), models.CheckConstraint(condition=models.Q(('not_before__isnull', True), ('next_attempt_at__gte', models.F('not_before')), _connector='OR'), name='message_never_early')],
                    },
                ),
                migrations.CreateModel(
                    name='Attempt',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='notifications.message')),
                        ('number', models.PositiveIntegerField()),
                        ('started_at', models.DateTimeField()),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('outcome', models.CharField(choices=[('started', 'Started'), ('sent', 'Sent'), ('failed', 'Failed, to be tried again'), ('refused', 'Refused for good'), ('skipped', 'Not sent'), ('interrupted', 'Interrupted, outcome unknown')], default='started', max_length=12)),
                        ('detail', models.TextField(blank=True)),
                    ],
                    options={
                        'ordering': ['message', 'number'],
                        'constraints': [models.UniqueConstraint(fields=('message', 'number'), name='attempt_once'), models.CheckConstraint(condition=models.Q(('outcome__in', ['started', 'sent', 'failed', 'refused', 'skipped', 'interrupted'])), name='attempt_outcome_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('outcome', 'started')), models.Q(models.Q(('outcome', 'started'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='attempt_finished_has_time')],
                    },
                ),
                migrations.CreateModel(
                    name='SenderHeartbeat',
                    fields=[
                        ('name', models.TextField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                    ],
                ),
            ],
        ),
    ]
