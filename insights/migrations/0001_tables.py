"""The tables of figures, reviews, estimates and simulations."""

import django.db.models.deletion
import roles.tables
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("insights", "0001_simulations"), ("insights", "0002_figures"), ("insights", "0003_board_mails"), ("insights", "0004_reviews_and_risk")]
    initial = True
    dependencies = [('escalation', '0002_triggers')]

    operations = [
        roles.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name='Folded',
                    fields=[
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='folded', serialize=False, to='tickets.ticket')),
                        ('seq', models.PositiveIntegerField()),
                        ('restricted', models.BooleanField(default=False)),
                        ('kind', models.CharField(max_length=12)),
                        ('priority', models.PositiveSmallIntegerField()),
                        ('service', models.BigIntegerField(default=0)),
                        ('category', models.BigIntegerField(default=0)),
                    ],
                    options={
                        'verbose_name_plural': 'folded tickets',
                        'indexes': [models.Index(condition=models.Q(('restricted', True)), fields=['ticket'], name='folded_restricted')],
                    },
                ),
                migrations.CreateModel(
                    name='Point',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
                        ('measure', models.CharField(max_length=16)),
                        ('day', models.DateField(help_text='In UTC.')),
                        ('team', models.BigIntegerField(default=0)),
                        ('other', models.BigIntegerField(default=0)),
                        ('tag', models.CharField(blank=True, max_length=24)),
                        ('n', models.IntegerField(default=1)),
                        ('total', models.BigIntegerField(default=0)),
                        ('work', models.BigIntegerField(default=0)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['measure', 'day'], name='point_by_day')],
                    },
                ),
                migrations.CreateModel(
                    name='DayTotal',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('grain', models.CharField(choices=[('who', 'By team'), ('what', 'By subject'), ('cube', 'By everything')], max_length=4)),
                        ('measure', models.CharField(max_length=16)),
                        ('day', models.DateField(help_text='In UTC.')),
                        ('team', models.BigIntegerField(default=0)),
                        ('other', models.BigIntegerField(default=0)),
                        ('tag', models.CharField(blank=True, max_length=24)),
                        ('kind', models.CharField(blank=True, max_length=12)),
                        ('priority', models.PositiveSmallIntegerField(default=0)),
                        ('service', models.BigIntegerField(default=0)),
                        ('category', models.BigIntegerField(default=0)),
                        ('n', models.BigIntegerField()),
                        ('total', models.BigIntegerField()),
                        ('work', models.BigIntegerField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('grain', 'measure', 'day', 'team', 'other', 'tag', 'kind', 'priority', 'service', 'category'), name='day_total_once')],
                    },
                ),
                migrations.CreateModel(
                    name='FoldMark',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('settled', models.BigIntegerField(help_text='Every event up to this one has been seen, or never will be.')),
                        ('newest', models.BigIntegerField(help_text='The newest event at that moment.')),
                        ('noted_at', models.DateTimeField()),
                        ('swept_at', models.DateTimeField(blank=True, help_text='When all tickets were last compared with what is counted.', null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='BoardMail',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='board_mails', to=settings.AUTH_USER_MODEL)),
                        ('board', models.CharField(max_length=24)),
                        ('words', models.JSONField(blank=True, default=dict, help_text='Filters, as in the address.')),
                        ('days', models.PositiveSmallIntegerField(help_text='How many days it looks back.')),
                        ('every', models.CharField(choices=[('day', 'Every day'), ('week', 'Every Monday')], max_length=4)),
                        ('hour', models.PositiveSmallIntegerField(help_text="By the person's own clock.")),
                        ('next_at', models.DateTimeField(db_index=True)),
                    ],
                    options={
                        'ordering': ['id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('hour__lte', 23)), name='board_mail_hour_of_the_day'), models.CheckConstraint(condition=models.Q(('every__in', ['day', 'week'])), name='board_mail_every_known')],
                    },
                ),
                migrations.CreateModel(
                    name='Review',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='tickets.ticket')),
                        ('summary', models.TextField(blank=True)),
                        ('story', models.TextField(blank=True, verbose_name='what happened')),
                        ('impact', models.TextField(blank=True)),
                        ('cause', models.TextField(blank=True)),
                        ('went_well', models.TextField(blank=True)),
                        ('went_badly', models.TextField(blank=True, verbose_name='what went badly')),
                        ('drafted_at', models.DateTimeField()),
                        ('drafted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('due_at', models.DateTimeField(help_text='By when it is to be signed.')),
                        ('changed_at', models.DateTimeField()),
                        ('version', models.PositiveIntegerField(default=1, help_text='Grows with every edit.')),
                        ('signed_at', models.DateTimeField(blank=True, null=True)),
                        ('signed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reminded_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-id'],
                        'indexes': [models.Index(condition=models.Q(('signed_at__isnull', True)), fields=['due_at'], name='review_unsigned')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('signed_at__isnull', True), ('signed_by__isnull', True)), models.Q(('signed_at__isnull', False), ('signed_by__isnull', False)), _connector='OR'), name='review_signed_by_somebody'), models.CheckConstraint(condition=models.Q(('signed_at__isnull', True), models.Q(('cause', ''), _negated=True), _connector='OR'), name='review_signed_has_cause')],
                    },
                ),
                migrations.CreateModel(
                    name='ReviewAction',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('review', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='insights.review')),
                        ('text', models.CharField(max_length=500)),
                        ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('due_on', models.DateField()),
                        ('added_at', models.DateTimeField()),
                        ('done_at', models.DateTimeField(blank=True, null=True)),
                        ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reminded_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['done_at', 'due_on', 'id'],
                        'indexes': [models.Index(condition=models.Q(('done_at__isnull', True)), fields=['due_on'], name='review_action_open')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='review_action_says_something'), models.CheckConstraint(condition=models.Q(('done_at__isnull', True), ('done_at__gte', models.F('added_at')), _connector='OR'), name='review_action_done_later')],
                    },
                ),
                migrations.CreateModel(
                    name='Sample',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='sample', to='tickets.ticket')),
                        ('chosen_at', models.DateTimeField()),
                        ('understood', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('told', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('documented', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('solved', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('comment', models.TextField(blank=True)),
                        ('scored_at', models.DateTimeField(blank=True, null=True)),
                        ('scored_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'ordering': ['-id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('scored_at__isnull', True), models.Q(('documented__range', (1, 5)), ('scored_by__isnull', False), ('solved__range', (1, 5)), ('told__range', (1, 5)), ('understood__range', (1, 5))), _connector='OR'), name='sample_scored_is_whole')],
                    },
                ),
                migrations.CreateModel(
                    name='RiskModel',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('trained_at', models.DateTimeField()),
                        ('cases', models.PositiveIntegerField(help_text='Tickets whose end was known at that time.')),
                        ('positives', models.PositiveIntegerField(help_text='Those of them that ended badly.')),
                        ('tested', models.PositiveIntegerField(default=0, help_text='Later tickets it was tried on.')),
                        ('base_rate', models.FloatField(blank=True, null=True)),
                        ('auroc', models.FloatField(blank=True, null=True)),
                        ('brier', models.FloatField(blank=True, null=True)),
                        ('skill', models.FloatField(blank=True, help_text='1 - Brier / Brier of the rate.', null=True)),
                        ('recall20', models.FloatField(blank=True, null=True)),
                        ('hit_rate20', models.FloatField(blank=True, null=True)),
                        ('refused', models.JSONField(blank=True, default=dict, help_text='Features left out, and why.')),
                        ('is_used', models.BooleanField(default=False)),
                        ('why_not', models.CharField(blank=True, max_length=250)),
                        ('learned', models.JSONField(blank=True, default=dict)),
                        ('took_s', models.FloatField(default=0)),
                    ],
                    options={
                        'ordering': ['-id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('is_used', False), models.Q(('skill__gt', 0), ('why_not', '')), _connector='OR'), name='risk_used_beats_the_base_rate'), models.CheckConstraint(condition=models.Q(('positives__lte', models.F('cases'))), name='risk_positives_are_cases')],
                    },
                ),
                migrations.CreateModel(
                    name='Estimate',
                    fields=[
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='foresight', serialize=False, to='tickets.ticket')),
                        ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='estimates', to='insights.riskmodel')),
                        ('probability', models.FloatField()),
                        ('at_opening', models.FloatField(blank=True, help_text='The first one, for judging.', null=True)),
                        ('reasons', models.JSONField(blank=True, default=list)),
                        ('seq', models.PositiveIntegerField(help_text="The ticket's last event that it knows of.")),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['-probability'], name='estimate_by_probability')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('probability__gte', 0), ('probability__lte', 1)), name='estimate_0_to_1')],
                    },
                ),
                migrations.CreateModel(
                    name='Simulation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('policy', models.ForeignKey(blank=True, help_text="Its draft is played. Empty: the file, or only today's policies.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='simulations', to='escalation.policy')),
                        ('file', models.TextField(blank=True, help_text='A policy-as-code document whose policies are played.')),
                        ('since', models.DateTimeField(help_text='Tickets opened from then on.')),
                        ('until', models.DateTimeField(help_text='Tickets opened before then.')),
                        ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('asked_at', models.DateTimeField()),
                        ('state', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('stopped', 'Stopped')], default='queued', max_length=8)),
                        ('total', models.PositiveIntegerField(default=0)),
                        ('done', models.PositiveIntegerField(default=0)),
                        ('heard_at', models.DateTimeField(blank=True, help_text='When it last said how far it has come.', null=True)),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('trouble', models.TextField(blank=True)),
                        ('report', models.JSONField(blank=True, default=dict)),
                    ],
                    options={
                        'ordering': ['-id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('since__lt', models.F('until'))), name='simulation_since_until'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ['queued', 'running'])), models.Q(('ended_at__isnull', False), ('state__in', ['done', 'failed', 'stopped'])), _connector='OR'), name='simulation_ended_has_time')],
                    },
                ),
            ],
        ),
    ]
