import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import tickets.models.status
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('roles', '0002_history_stands'),
        ('roles', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('is_active', models.BooleanField(default=True)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='tickets.category')),
            ],
            options={
                'verbose_name_plural': 'categories',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Service',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=120, unique=True)),
                ('description', models.TextField(blank=True)),
                ('is_active', models.BooleanField(default=True)),
                ('owner_team', models.ForeignKey(blank=True, help_text='The team that answers for the service, whatever tier works on a ticket.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_services', to='roles.team')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('incident', 'Incident'), ('request', 'Service request'), ('security', 'Security incident'), ('problem', 'Problem'), ('change', 'Change')], default='incident', max_length=12)),
                ('key', models.CharField(max_length=20, unique=True)),
                ('subject', models.CharField(max_length=250)),
                ('description', models.TextField(blank=True)),
                ('source', models.CharField(choices=[('portal', 'Portal'), ('email', 'E-mail'), ('api', 'API'), ('monitor', 'Monitor'), ('phone', 'Phone')], default='portal', max_length=8)),
                ('origin', models.CharField(choices=[('live', 'Live'), ('imported', 'Imported')], default='live', max_length=8)),
                ('external_ref', models.CharField(blank=True, max_length=120, null=True, unique=True)),
                ('asset', models.CharField(blank=True, max_length=200)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list, size=None)),
                ('impact', models.PositiveSmallIntegerField(default=3)),
                ('urgency', models.PositiveSmallIntegerField(default=3)),
                ('priority', models.PositiveSmallIntegerField(default=5)),
                ('priority_override', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('priority_floor', models.PositiveSmallIntegerField(blank=True, help_text='The most urgent priority a rule has raised it to.', null=True)),
                ('status', tickets.models.status.StatusField(choices=[('cancelled', 'Cancelled'), ('closed', 'Closed'), ('in_progress', 'In progress'), ('new', 'New'), ('pending_change', 'Waiting for change'), ('pending_requester', 'Waiting for requester'), ('pending_vendor', 'Waiting for vendor'), ('resolved', 'Resolved'), ('waiting_for_support', 'Waiting for support')], default='new', max_length=20, protected=True)),
                ('status_since', models.DateTimeField()),
                ('status_entry', models.PositiveIntegerField(default=1)),
                ('wake_at', models.DateTimeField(blank=True, null=True)),
                ('pending_reason', models.CharField(blank=True, max_length=250)),
                ('entry', models.PositiveIntegerField(default=0)),
                ('entry_origin', models.PositiveIntegerField(default=0)),
                ('entered_at', models.DateTimeField(blank=True, null=True)),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('restricted', models.BooleanField(default=False)),
                ('opened_at', models.DateTimeField()),
                ('began_at', models.DateTimeField(blank=True, null=True)),
                ('detected_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('resolution_code', models.CharField(blank=True, max_length=40)),
                ('resolution', models.TextField(blank=True)),
                ('handover_count', models.PositiveIntegerField(default=0)),
                ('reopen_count', models.PositiveIntegerField(default=0)),
                ('chase_count', models.PositiveIntegerField(default=0)),
                ('last_seq', models.PositiveIntegerField(default=0)),
                ('last_hash', models.CharField(blank=True, max_length=64)),
                ('last_event_at', models.DateTimeField(blank=True, null=True)),
                ('next_due_at', models.DateTimeField(blank=True, null=True)),
                ('next_step_at', models.DateTimeField(blank=True, null=True)),
                ('breached_at', models.DateTimeField(blank=True, null=True)),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assigned_tickets', to=settings.AUTH_USER_MODEL)),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='tickets.category')),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roles.organisation')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_tickets', to=settings.AUTH_USER_MODEL)),
                ('owner_team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_tickets', to='roles.team')),
                ('requester', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requested_tickets', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='tickets.service')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='roles.team')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['next_due_at', 'id'], name='ticket_open_by_deadline'), models.Index(condition=models.Q(('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['team', 'next_due_at'], name='ticket_open_by_team'), models.Index(condition=models.Q(('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['assignee', 'next_due_at'], name='ticket_open_by_assignee'), models.Index(fields=['requester', '-id'], name='ticket_by_requester'), models.Index(condition=models.Q(('wake_at__isnull', False)), fields=['wake_at'], name='ticket_by_wake')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['cancelled', 'closed', 'in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'resolved', 'waiting_for_support'])), name='ticket_status_known'), models.CheckConstraint(condition=models.Q(('impact__range', (1, 3)), ('urgency__range', (1, 3))), name='ticket_impact_urgency_1_to_3'), models.CheckConstraint(condition=models.Q(('priority__range', (1, 5))), name='ticket_priority_1_to_5'), models.CheckConstraint(condition=models.Q(('status', 'new'), models.Q(('entry__gte', 1), ('team__isnull', False)), _connector='OR'), name='ticket_has_team_unless_new'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'waiting_for_support'), _negated=True), ('assignee__isnull', True), _connector='OR'), name='ticket_waiting_has_no_assignee'), models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['resolved', 'closed']), _negated=True), ('resolved_at__isnull', False), _connector='OR'), name='ticket_resolved_has_time')],
            },
        ),
        migrations.CreateModel(
            name='TimelineEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('opened', 'Opened'), ('triaged', 'Triaged'), ('moved', 'Moved to a team'), ('taken', 'Taken'), ('assigned', 'Assigned'), ('released', 'Released'), ('acknowledged', 'Acknowledged'), ('unacknowledged', 'Acknowledgement withdrawn'), ('commented', 'Commented'), ('chased', 'Chased by the requester'), ('pended', 'Put on hold'), ('resumed', 'Resumed'), ('resolved', 'Resolved'), ('reopened', 'Reopened'), ('closed', 'Closed'), ('cancelled', 'Cancelled'), ('prioritised', 'Priority changed'), ('owned', 'Owner changed'), ('watched', 'Watchers changed'), ('linked', 'Linked'), ('involved', 'Involved'), ('restricted', 'Restricted'), ('alerted', 'Alert'), ('targeted', 'Targets set'), ('breached', 'Target missed'), ('escalated', 'Escalated'), ('accepted', 'Accepted'), ('handed_back', 'Handed back'), ('run_started', 'Policy started'), ('run_stopped', 'Policy stopped'), ('fired', 'Policy step fired'), ('skipped', 'Policy step skipped')], max_length=16)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('is_public', models.BooleanField(default=False)),
                ('canonical', models.TextField()),
                ('hash', models.CharField(max_length=64)),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='tickets.ticket')),
            ],
            options={
                'ordering': ['ticket_id', 'seq'],
                'constraints': [models.UniqueConstraint(fields=('ticket', 'seq'), name='event_seq_once_per_ticket'), models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='event_seq_from_one')],
            },
        ),
        migrations.CreateModel(
            name='EventBody',
            fields=[
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='body', serialize=False, to='tickets.timelineevent')),
                ('salt', models.CharField(max_length=32)),
                ('text', models.TextField()),
            ],
            options={
                'verbose_name_plural': 'event bodies',
            },
        ),
        migrations.CreateModel(
            name='AlertSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('product', models.CharField(choices=[('alertmanager', 'Prometheus Alertmanager')], max_length=20)),
                ('key_prefix', models.CharField(max_length=12, unique=True)),
                ('key_digest', models.CharField(max_length=64, unique=True)),
                ('is_active', models.BooleanField(default=True)),
                ('last_seen_at', models.DateTimeField(blank=True, null=True)),
                ('requester', models.ForeignKey(help_text='The service account in whose name tickets are opened.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roles.team')),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tickets.service')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Clearance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clearances', to=settings.AUTH_USER_MODEL)),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clearances', to='tickets.ticket')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ticket', 'person'), name='clearance_once')],
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dedup_key', models.CharField(max_length=512)),
                ('group_key', models.CharField(blank=True, max_length=1000)),
                ('state', models.CharField(choices=[('firing', 'Firing'), ('resolved', 'Resolved')], default='firing', max_length=8)),
                ('summary', models.CharField(max_length=250)),
                ('details', models.JSONField(default=dict)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=1)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='tickets.alertsource')),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='tickets.ticket')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['source', 'dedup_key', '-id'], name='alert_by_key'), models.Index(fields=['source', 'group_key'], name='alert_by_group')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'firing')), fields=('source', 'dedup_key'), name='alert_one_firing_per_key'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'firing')), models.Q(('ended_at__isnull', False), ('state', 'resolved')), _connector='OR'), name='alert_resolved_has_end')],
            },
        ),
        migrations.CreateModel(
            name='TicketLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relation', models.CharField(choices=[('child_of', 'Child of'), ('duplicate_of', 'Duplicate of'), ('caused_by', 'Caused by'), ('follows', 'Follows'), ('related', 'Related to')], max_length=12)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links_out', to='tickets.ticket')),
                ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links_in', to='tickets.ticket')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('source', 'target', 'relation'), name='ticket_link_once'), models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='ticket_link_not_to_itself')],
            },
        ),
        migrations.CreateModel(
            name='Watcher',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watched', to=settings.AUTH_USER_MODEL)),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watchers', to='tickets.ticket')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ticket', 'person'), name='watcher_once')],
            },
        ),
        migrations.CreateModel(
            name='Route',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('takes_new', models.BooleanField(default=False, help_text='New tickets go straight to this team instead of the service desk.')),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='tickets.category')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routes', to='roles.team')),
                ('tier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routes', to='roles.tier')),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='tickets.service')),
            ],
            options={
                'ordering': ['tier__rank', 'id'],
                'constraints': [models.UniqueConstraint(fields=('service', 'category', 'tier'), name='route_one_team_per_rung', nulls_distinct=False)],
            },
        ),
    ]
