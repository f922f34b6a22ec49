import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('roles', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='SenderHeartbeat',
            fields=[
                ('name', models.TextField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(editable=False, max_length=36, unique=True)),
                ('topic', models.CharField(max_length=80)),
                ('cause', models.CharField(max_length=120)),
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
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to=settings.AUTH_USER_MODEL)),
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
                ('number', models.PositiveIntegerField()),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(choices=[('started', 'Started'), ('sent', 'Sent'), ('failed', 'Failed, to be tried again'), ('refused', 'Refused for good'), ('skipped', 'Not sent'), ('interrupted', 'Interrupted, outcome unknown')], default='started', max_length=12)),
                ('detail', models.TextField(blank=True)),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='notifications.message')),
            ],
            options={
                'ordering': ['message', 'number'],
                'constraints': [models.UniqueConstraint(fields=('message', 'number'), name='attempt_once'), models.CheckConstraint(condition=models.Q(('outcome__in', ['started', 'sent', 'failed', 'refused', 'skipped', 'interrupted'])), name='attempt_outcome_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('outcome', 'started')), models.Q(models.Q(('outcome', 'started'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='attempt_finished_has_time')],
            },
        ),
        migrations.CreateModel(
            name='ContactMethod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(default='email', max_length=20)),
                ('address', models.CharField(max_length=320)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_methods', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['person', 'channel', 'id'],
                'constraints': [models.UniqueConstraint(fields=('person', 'channel', 'address'), name='contact_method_once'), models.CheckConstraint(condition=models.Q(models.Q(('channel', ''), _negated=True), models.Q(('address', ''), _negated=True)), name='contact_method_filled')],
            },
        ),
    ]
