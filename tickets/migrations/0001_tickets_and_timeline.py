"""The tables of the catalogue, tickets, their timeline and who may see them."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.utils.timezone
import roles.tables
import tickets.models.status
import tickets.models.writing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("tickets", "0001_initial"), ("tickets", "0002_guards"), ("tickets", "0003_resolved_index"), ("tickets", "0004_vocabulary"), ("tickets", "0005_routes_switched_off"), ("tickets", "0006_cases"), ("tickets", "0007_changes_and_problems"), ("tickets", "0008_repeats_by_origin"), ("tickets", "0009_knowledge_and_feedback"), ("tickets", "0010_knowledge_guards"), ("tickets", "0011_attachments_drafts_and_canned_texts"), ("tickets", "0012_search_words"), ("tickets", "0013_what_the_calendar_asks"), ("tickets", "0014_alerts_judged_and_told"), ("tickets", "0015_mail_taken_in"), ("tickets", "0016_service_subscribers"), ("tickets", "0017_files_may_be_erased"), ("tickets", "0018_what_queues_are_sorted_by"), ("tickets", "0019_feed"), ("tickets", "0020_editions_of_routes"), ("tickets", "0021_contact_lists")]
    initial = True
    dependencies = [('roles', '0002_guards')]

    operations = [
        roles.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name='Service',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('slug', models.SlugField(max_length=64, unique=True)),
                        ('name', models.CharField(max_length=120, unique=True)),
                        ('description', models.TextField(blank=True)),
                        ('owner_team', models.ForeignKey(blank=True, help_text='The team that answers for the service, whatever tier works on a ticket.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_services', to='roles.team')),
                        ('is_active', models.BooleanField(default=True)),
                    ],
                    options={
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceSubscriber',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscribers', to='tickets.service')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscribed', to=settings.AUTH_USER_MODEL)),
                        ('since', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('service', 'person'), name='service_subscriber_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Category',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('slug', models.SlugField(max_length=64, unique=True)),
                        ('name', models.CharField(max_length=120)),
                        ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='tickets.category')),
                        ('is_active', models.BooleanField(default=True)),
                    ],
                    options={
                        'verbose_name_plural': 'categories',
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='Route',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='tickets.service')),
                        ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='tickets.category')),
                        ('tier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routes', to='roles.tier')),
                        ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routes', to='roles.team')),
                        ('takes_new', models.BooleanField(default=False, help_text='New tickets go straight to this team instead of the service desk.')),
                        ('is_active', models.BooleanField(default=True, help_text='Switched off, it is as if it were not there.', verbose_name='active')),
                    ],
                    options={
                        'ordering': ['tier__rank', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('service', 'category', 'tier'), name='route_one_team_per_rung', nulls_distinct=False)],
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
                        ('requester', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='requested_tickets', to=settings.AUTH_USER_MODEL)),
                        ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roles.organisation')),
                        ('service', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='tickets.service')),
                        ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='tickets.category')),
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
                        ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='roles.team')),
                        ('entry', models.PositiveIntegerField(default=0)),
                        ('entry_origin', models.PositiveIntegerField(default=0)),
                        ('entered_at', models.DateTimeField(blank=True, null=True)),
                        ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assigned_tickets', to=settings.AUTH_USER_MODEL)),
                        ('owner_team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_tickets', to='roles.team')),
                        ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_tickets', to=settings.AUTH_USER_MODEL)),
                        ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                        ('acknowledged_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('restricted', models.BooleanField(default=False)),
                        ('is_major', models.BooleanField(default=False)),
                        ('opened_at', models.DateTimeField()),
                        ('began_at', models.DateTimeField(blank=True, null=True)),
                        ('detected_at', models.DateTimeField(blank=True, null=True)),
                        ('resolved_at', models.DateTimeField(blank=True, null=True)),
                        ('closed_at', models.DateTimeField(blank=True, null=True)),
                        ('resolution_code', models.CharField(blank=True, max_length=40)),
                        ('resolution', models.TextField(blank=True)),
                        ('merged_into', models.ForeignKey(blank=True, db_index=False, help_text="The ticket that goes on in this one's place.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tickets.ticket')),
                        ('handover_count', models.PositiveIntegerField(default=0)),
                        ('reopen_count', models.PositiveIntegerField(default=0)),
                        ('chase_count', models.PositiveIntegerField(default=0)),
                        ('last_seq', models.PositiveIntegerField(default=0)),
                        ('last_hash', models.CharField(blank=True, max_length=64)),
                        ('last_event_at', models.DateTimeField(blank=True, null=True)),
                        ('next_due_at', models.DateTimeField(blank=True, null=True)),
                        ('next_step_at', models.DateTimeField(blank=True, null=True)),
                        ('breached_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-id'],
                        'indexes': [models.Index(condition=models.Q(('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['next_due_at', 'id'], name='ticket_open_by_deadline'), models.Index(condition=models.Q(('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['team', 'next_due_at'], name='ticket_open_by_team'), models.Index(condition=models.Q(('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['assignee', 'next_due_at'], name='ticket_open_by_assignee'), models.Index(condition=models.Q(('status', 'waiting_for_support')), fields=['team', 'next_due_at', 'id'], name='ticket_waiting_by_team'), models.Index(condition=models.Q(('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['priority', 'next_due_at', 'id'], name='ticket_open_by_priority'), models.Index(fields=['requester', '-id'], name='ticket_by_requester'), models.Index(fields=['service', '-opened_at'], name='ticket_by_service'), models.Index(condition=models.Q(('asset', ''), _negated=True), fields=['asset', '-opened_at'], name='ticket_by_asset'), models.Index(condition=models.Q(('origin', 'live'), ('status', 'resolved')), fields=['resolved_at'], name='ticket_to_close'), models.Index(condition=models.Q(('status', 'pending_change')), fields=['id'], name='ticket_awaiting_change'), models.Index(condition=models.Q(('origin', 'live'), ('priority__lte', 2), ('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['priority', 'id'], name='ticket_urgent'), models.Index(condition=models.Q(('is_major', True), ('status__in', ['in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'waiting_for_support'])), fields=['next_due_at'], name='ticket_open_majors'), models.Index(condition=models.Q(('wake_at__isnull', False)), fields=['wake_at'], name='ticket_by_wake')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['cancelled', 'closed', 'in_progress', 'new', 'pending_change', 'pending_requester', 'pending_vendor', 'resolved', 'waiting_for_support'])), name='ticket_status_known'), models.CheckConstraint(condition=models.Q(('impact__range', (1, 3)), ('urgency__range', (1, 3))), name='ticket_impact_urgency_1_to_3'), models.CheckConstraint(condition=models.Q(('priority__range', (1, 5))), name='ticket_priority_1_to_5'), models.CheckConstraint(condition=models.Q(('status', 'new'), models.Q(('entry__gte', 1), ('team__isnull', False)), _connector='OR'), name='ticket_has_team_unless_new'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'waiting_for_support'), _negated=True), ('assignee__isnull', True), _connector='OR'), name='ticket_waiting_has_no_assignee'), models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['resolved', 'closed']), _negated=True), ('resolved_at__isnull', False), _connector='OR'), name='ticket_resolved_has_time'), models.CheckConstraint(condition=models.Q(('merged_into__isnull', True), models.Q(models.Q(('merged_into', models.F('id')), _negated=True), ('status__in', ['resolved', 'closed'])), _connector='OR'), name='ticket_merged_is_over'), models.CheckConstraint(condition=models.Q(('is_major', True), ('restricted', True), _negated=True), name='ticket_major_not_restricted')],
                    },
                ),
                migrations.CreateModel(
                    name='Watcher',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watchers', to='tickets.ticket')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watched', to=settings.AUTH_USER_MODEL)),
                        ('since', models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('ticket', 'person'), name='watcher_once')],
                    },
                ),
                migrations.CreateModel(
                    name='TicketLink',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links_out', to='tickets.ticket')),
                        ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links_in', to='tickets.ticket')),
                        ('relation', models.CharField(choices=[('child_of', 'Child of'), ('duplicate_of', 'Duplicate of'), ('caused_by', 'Caused by'), ('follows', 'Follows'), ('related', 'Related to')], max_length=12)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('source', 'target', 'relation'), name='ticket_link_once'), models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='ticket_link_not_to_itself')],
                    },
                ),
                migrations.CreateModel(
                    name='TimelineEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='tickets.ticket')),
                        ('seq', models.PositiveIntegerField()),
                        ('at', models.DateTimeField()),
                        ('kind', models.CharField(choices=[('opened', 'Opened'), ('triaged', 'Triaged'), ('moved', 'Moved to a team'), ('taken', 'Taken'), ('assigned', 'Assigned'), ('released', 'Released'), ('acknowledged', 'Acknowledged'), ('unacknowledged', 'Acknowledgement withdrawn'), ('commented', 'Commented'), ('chased', 'Chased by the requester'), ('pended', 'Put on hold'), ('resumed', 'Resumed'), ('resolved', 'Resolved'), ('reopened', 'Reopened'), ('closed', 'Closed'), ('cancelled', 'Cancelled'), ('prioritised', 'Priority changed'), ('owned', 'Owner changed'), ('watched', 'Watchers changed'), ('linked', 'Linked'), ('involved', 'Involved'), ('restricted', 'Restricted'), ('alerted', 'Alert'), ('targeted', 'Targets set'), ('breached', 'Target missed'), ('escalated', 'Escalated'), ('accepted', 'Accepted'), ('handed_back', 'Handed back'), ('run_started', 'Policy started'), ('run_stopped', 'Policy stopped'), ('fired', 'Policy step fired'), ('skipped', 'Policy step skipped'), ('run_held', 'Policy held'), ('run_released', 'Policy released'), ('snoozed', 'Snoozed'), ('step_called', 'Policy step called'), ('merged', 'Merged'), ('adopted', 'Adopted'), ('unrestricted', 'Restriction lifted'), ('cleared', 'Clearance changed'), ('glass_broken', 'Opened in an emergency'), ('notice_owed', 'Regulatory notice owed'), ('notice_given', 'Regulatory notice given'), ('major_proposed', 'Major incident proposed'), ('major_rejected', 'Major incident rejected'), ('major_declared', 'Major incident declared'), ('major_staffed', 'Major incident roles named'), ('major_updated', 'Stakeholders updated'), ('room_opened', 'Chat room opened'), ('room_filled', 'People asked into the chat room'), ('decided', 'Decision kept'), ('major_demoted', 'Major incident demoted'), ('vendor_engaged', 'Vendor engaged'), ('vendor_responded', 'Vendor responded'), ('vendor_delivered', 'Vendor delivered'), ('vendor_released', 'Vendor released'), ('change_planned', 'Change planned'), ('change_approved', 'Change approved'), ('change_rejected', 'Change rejected'), ('change_ended', 'Change ended'), ('diagnosed', 'Problem diagnosed'), ('article_used', 'Solved by an article'), ('checked', 'Checklist ticked'), ('rated', 'Rated by the requester'), ('file_erased', 'File erased'), ('handover_rated', 'Escalation rated'), ('reviewed', 'Review')], max_length=16)),
                        ('actor_id', models.BigIntegerField(null=True)),
                        ('is_public', models.BooleanField(default=False)),
                        ('canonical', models.TextField()),
                        ('hash', models.CharField(max_length=64)),
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
                    name='TicketWords',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
                        ('event_id', models.BigIntegerField(null=True, unique=True)),
                        ('is_public', models.BooleanField()),
                        ('words', django.contrib.postgres.search.SearchVectorField()),
                    ],
                    options={
                        'verbose_name_plural': 'ticket words',
                        'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['words'], gin_pending_list_limit=1024, name='ticket_words')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('event_id__isnull', True)), fields=('ticket',), name='ticket_words_once_of_itself')],
                    },
                ),
                migrations.CreateModel(
                    name='CannedText',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('team', models.ForeignKey(blank=True, help_text="Whose text it is; empty: everybody's.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='canned_texts', to='roles.team')),
                        ('name', models.CharField(help_text='By this it is found after typing ::', max_length=80)),
                        ('text', models.TextField(help_text='{requester}, {key}, {team} and {agent} are filled in when it is used.', max_length=10000)),
                        ('is_active', models.BooleanField(default=True)),
                    ],
                    options={
                        'ordering': ['name', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('team', 'name'), name='canned_name_once', nulls_distinct=False, violation_error_message='There is a text of this name already.'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('text', ''), _negated=True)), name='canned_filled')],
                    },
                ),
                migrations.CreateModel(
                    name='Draft',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to='tickets.ticket')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to=settings.AUTH_USER_MODEL)),
                        ('text', models.TextField(max_length=20000)),
                        ('is_public', models.BooleanField(default=False)),
                        ('saved_at', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('ticket', 'person'), name='draft_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Attachment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='tickets.ticket')),
                        ('event', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='tickets.timelineevent')),
                        ('uploader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uploads', to=settings.AUTH_USER_MODEL)),
                        ('name', models.CharField(max_length=200)),
                        ('media_type', models.CharField(help_text="An image's, proven by its first bytes, or none in particular.", max_length=40)),
                        ('size', models.PositiveIntegerField(help_text='In bytes.')),
                        ('sha256', models.CharField(max_length=64)),
                        ('file', models.FileField(max_length=120, upload_to=tickets.models.writing.place_of)),
                        ('added_at', models.DateTimeField()),
                        ('erased_at', models.DateTimeField(blank=True, help_text='Since then its bytes are gone; the timeline says why.', null=True)),
                    ],
                    options={
                        'ordering': ['id'],
                        'indexes': [models.Index(condition=models.Q(('event__isnull', True)), fields=['uploader', 'added_at'], name='attachment_unsent')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('size__gt', 0), ('sha256__regex', '^[0-9a-f]{64}$'), models.Q(('name', ''), _negated=True)), name='attachment_known_by_its_bytes')],
                    },
                ),
                migrations.CreateModel(
                    name='Clearance',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clearances', to='tickets.ticket')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clearances', to=settings.AUTH_USER_MODEL)),
                        ('since', models.DateTimeField(default=django.utils.timezone.now)),
                        ('until', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('until__isnull', False)), fields=['until'], name='clearance_by_end')],
                        'constraints': [models.UniqueConstraint(fields=('ticket', 'person'), name='clearance_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Lifting',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='liftings', to='tickets.ticket')),
                        ('proposer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reason', models.TextField()),
                        ('proposed_at', models.DateTimeField()),
                        ('confirmer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('confirmed_at__isnull', True)), fields=('ticket',), name='lifting_one_open_per_ticket'), models.CheckConstraint(condition=models.Q(('confirmer__isnull', True), models.Q(('confirmer', models.F('proposer')), _negated=True), _connector='OR'), name='lifting_by_two_people'), models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmer__isnull', True)), models.Q(('confirmed_at__isnull', False), ('confirmer__isnull', False)), _connector='OR'), name='lifting_confirmed_has_both'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='lifting_has_reason')],
                    },
                ),
                migrations.CreateModel(
                    name='Notice',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='tickets.ticket')),
                        ('authority', models.CharField(max_length=200)),
                        ('since', models.DateTimeField(help_text='When it became known: the time allowed runs from here.')),
                        ('owed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('given_at', models.DateTimeField(blank=True, null=True)),
                        ('given_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reference', models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('ticket', 'authority'), name='notice_once'), models.CheckConstraint(condition=models.Q(('authority', ''), _negated=True), name='notice_has_authority')],
                    },
                ),
                migrations.CreateModel(
                    name='FeedEntry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('event', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='feed_entry', to='tickets.timelineevent')),
                        ('at', models.DateTimeField(db_index=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='FeedMark',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('settled', models.BigIntegerField(help_text='Every event up to this one has been seen, or never will be.')),
                        ('newest', models.BigIntegerField(help_text='The newest event at that moment.')),
                        ('noted_at', models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name='Feedback',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feedback', to='tickets.ticket')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='feedback', to=settings.AUTH_USER_MODEL)),
                        ('score', models.PositiveSmallIntegerField(choices=[(5, 'Very good'), (4, 'Good'), (3, 'So-so'), (2, 'Bad'), (1, 'Very bad')])),
                        ('comment', models.TextField(blank=True)),
                        ('given_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name_plural': 'feedback',
                        'ordering': ['-given_at'],
                        'constraints': [models.UniqueConstraint(fields=('ticket', 'person'), name='feedback_once'), models.CheckConstraint(condition=models.Q(('score__range', (1, 5))), name='feedback_score_1_to_5'), models.CheckConstraint(condition=models.Q(('changed_at__gte', models.F('given_at'))), name='feedback_changed_after_given')],
                    },
                ),
            ],
        ),
    ]
