"""The tables of majors, changes, problems, contact lists and articles."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import roles.tables
import tickets.models.status
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("tickets", "0022_war_room")]
    dependencies = [('tickets', '0001_tickets_and_timeline')]

    operations = [
        roles.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name='Major',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='major', to='tickets.ticket')),
                        ('state', models.CharField(choices=[('proposed', 'Proposed'), ('accepted', 'Accepted'), ('rejected', 'Rejected'), ('demoted', 'Demoted'), ('resolved', 'Resolved')], default='proposed', max_length=8)),
                        ('severity', models.PositiveSmallIntegerField(choices=[(1, '1 Critical: the service is gone for many'), (2, '2 Severe: an important part does not work'), (3, '3 Grave: worse than usual, with a way round')], default=2)),
                        ('proposer', models.ForeignKey(blank=True, help_text="Empty for a policy's own proposal.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reason', models.TextField()),
                        ('proposed_at', models.DateTimeField()),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('manager', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='majors_led', to=settings.AUTH_USER_MODEL)),
                        ('coordinator', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('technical_lead', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('scribe', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('bridge_url', models.URLField(blank=True, help_text='Where people talk.', verbose_name='bridge')),
                        ('channel_url', models.URLField(blank=True, help_text='Where people write.', verbose_name='chat channel')),
                        ('chat_id', models.CharField(blank=True, editable=False, help_text='The room that was made in a chat.', max_length=40)),
                        ('last_update_at', models.DateTimeField(blank=True, null=True)),
                        ('next_update_at', models.DateTimeField(blank=True, help_text='When stakeholders have been promised the next word.', null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('state', 'accepted')), fields=['ticket'], name='major_under_way')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'accepted', 'rejected', 'demoted', 'resolved'])), name='major_state_known'), models.CheckConstraint(condition=models.Q(('severity__range', (1, 3))), name='major_severity_1_to_3'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='major_has_reason'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'proposed')), models.Q(models.Q(('state', 'proposed'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='major_decided_has_time'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['accepted', 'resolved']), _negated=True), ('manager__isnull', False), _connector='OR'), name='major_accepted_has_manager'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['demoted', 'resolved'])), models.Q(models.Q(('state__in', ['demoted', 'resolved']), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='major_ended_has_time')],
                    },
                ),
                migrations.CreateModel(
                    name='Involvement',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='involvements', to='tickets.ticket')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='involvements', to=settings.AUTH_USER_MODEL)),
                        ('team_name', models.CharField(blank=True, max_length=200)),
                        ('since', models.DateTimeField()),
                        ('left_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('ticket', 'person'), name='involved_once_at_a_time'), models.CheckConstraint(condition=models.Q(('left_at__isnull', True), ('left_at__gte', models.F('since')), _connector='OR'), name='involvement_ends_after_it_began')],
                    },
                ),
                migrations.CreateModel(
                    name='Change',
                    fields=[
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='change', serialize=False, to='tickets.ticket')),
                        ('state', models.CharField(choices=[('draft', 'Draft'), ('submitted', 'Submitted'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('implemented', 'Implemented'), ('failed', 'Failed'), ('backed_out', 'Backed out')], default='draft', max_length=12)),
                        ('plan', models.TextField(help_text='What is done, step by step.')),
                        ('test', models.TextField(blank=True, help_text='How one sees that it works.')),
                        ('back_out', models.TextField(blank=True, help_text='How it is undone.')),
                        ('window_from', models.DateTimeField(blank=True, null=True)),
                        ('window_until', models.DateTimeField(blank=True, null=True)),
                        ('author', models.ForeignKey(help_text='Who wrote the present wording.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('submitted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-ticket_id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(models.Q(('decided_by', models.F('author')), _negated=True), models.Q(('decided_by', models.F('submitted_by')), _negated=True)), _connector='OR'), name='change_not_decided_by_author'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state__in', ['draft', 'submitted'])), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ['approved', 'rejected', 'implemented', 'failed', 'backed_out'])), _connector='OR'), name='change_decided_by_somebody'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['implemented', 'failed', 'backed_out'])), models.Q(models.Q(('state__in', ['implemented', 'failed', 'backed_out']), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='change_ended_has_time'), models.CheckConstraint(condition=models.Q(models.Q(('window_from__isnull', True), ('window_until__isnull', True)), models.Q(('window_from__isnull', False), ('window_until__gt', models.F('window_from'))), _connector='OR'), name='change_window_is_whole'), models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(models.Q(('plan', ''), _negated=True), models.Q(('test', ''), _negated=True), models.Q(('back_out', ''), _negated=True)), _connector='OR'), name='change_complete_once_submitted')],
                    },
                ),
                migrations.CreateModel(
                    name='ChangeWait',
                    fields=[
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='waits_for', serialize=False, to='tickets.ticket')),
                        ('change', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='awaited_by', to='tickets.ticket')),
                        ('status_entry', models.PositiveIntegerField()),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('ticket', models.F('change')), _negated=True), name='change_wait_not_for_itself')],
                    },
                ),
                migrations.CreateModel(
                    name='Problem',
                    fields=[
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='problem', serialize=False, to='tickets.ticket')),
                        ('about', models.CharField(blank=True, help_text='Whose repeats it gathers, such as service:3; empty when opened by hand.', max_length=230)),
                        ('is_known_error', models.BooleanField(default=False, help_text='The cause is understood.', verbose_name='known error')),
                        ('cause', models.TextField(blank=True)),
                        ('workaround', models.TextField(blank=True, help_text='What helps until it is solved.')),
                        ('diagnosed_at', models.DateTimeField(blank=True, null=True)),
                        ('diagnosed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('published_at', models.DateTimeField(blank=True, help_text='When the present workaround was passed on.', null=True)),
                    ],
                    options={
                        'ordering': ['-ticket_id'],
                        'indexes': [models.Index(condition=models.Q(('about', ''), _negated=True), fields=['about'], name='problem_by_about')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('is_known_error', False), models.Q(('cause', ''), _negated=True), _connector='OR'), name='problem_known_has_cause'), models.CheckConstraint(condition=models.Q(('published_at__isnull', True), models.Q(('workaround', ''), _negated=True), _connector='OR'), name='problem_published_has_workaround')],
                    },
                ),
                migrations.CreateModel(
                    name='Straggler',
                    fields=[
                        ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='tickets.ticket')),
                        ('problem', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
                    ],
                ),
                migrations.CreateModel(
                    name='ContactList',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120)),
                        ('scenario', models.CharField(choices=[('outage', 'Outage'), ('security', 'Security'), ('vendor', 'Vendor')], max_length=8)),
                        ('team', models.ForeignKey(blank=True, help_text="Whose list it is; empty: everybody's.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='contact_lists', to='roles.team')),
                        ('severity', models.PositiveSmallIntegerField(default=3, help_text='Told of majors of this severity or a graver one; 3 is all of them.')),
                        ('advice', models.TextField(blank=True, help_text='When to call, and what for.', max_length=2000)),
                        ('is_active', models.BooleanField(default=True)),
                        ('services', models.ManyToManyField(blank=True, help_text='Empty: all services.', related_name='+', to='tickets.service')),
                    ],
                    options={
                        'ordering': ['scenario', 'name', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('team', 'scenario', 'name'), name='contact_list_once', nulls_distinct=False, violation_error_message='There is a list of this name already.'), models.CheckConstraint(condition=models.Q(('scenario__in', ['outage', 'security', 'vendor']), models.Q(('name', ''), _negated=True)), name='contact_list_known'), models.CheckConstraint(condition=models.Q(('severity__range', (1, 3))), name='contact_list_severity_1_to_3')],
                    },
                ),
                migrations.CreateModel(
                    name='Contact',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('listed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to='tickets.contactlist')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='listed_in', to=settings.AUTH_USER_MODEL)),
                        ('part', models.CharField(blank=True, help_text='Such as shop owner.', max_length=120, verbose_name='as')),
                    ],
                    options={
                        'ordering': ['listed', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('listed', 'person'), name='contact_once')],
                    },
                ),
                migrations.CreateModel(
                    name='UpdateText',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('phase', models.CharField(choices=[('investigating', 'Looking for the cause'), ('identified', 'Cause known'), ('working', 'Still working on it'), ('fixing', 'Being put right'), ('watching', 'Watching whether it holds')], max_length=13)),
                        ('language', models.CharField(default='en', max_length=10)),
                        ('service', models.ForeignKey(blank=True, help_text='Empty: for all services.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.service')),
                        ('text', models.TextField(help_text='{service}, {key}, {since} and {next} are filled in when it is taken.', max_length=2000)),
                    ],
                    options={
                        'ordering': ['phase', 'language', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('phase', 'language', 'service'), name='update_text_once', nulls_distinct=False, violation_error_message='There are words for this already.'), models.CheckConstraint(condition=models.Q(('phase__in', ['investigating', 'identified', 'working', 'fixing', 'watching']), models.Q(('text', ''), _negated=True), models.Q(('language', ''), _negated=True)), name='update_text_filled')],
                    },
                ),
                migrations.CreateModel(
                    name='Article',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('state', tickets.models.status.StatusField(choices=[('draft', 'Draft'), ('published', 'Published'), ('retired', 'Retired')], default='draft', max_length=10, protected=True)),
                        ('audience', models.CharField(choices=[('public', 'Everybody, on the portal'), ('internal', 'People of the service only')], default='internal', max_length=8)),
                        ('title', models.CharField(max_length=200)),
                        ('body', models.TextField(help_text='Markdown.')),
                        ('items', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), blank=True, default=list, help_text='The checklist of a runbook, one step an item; empty for an ordinary article.', size=None)),
                        ('keywords', models.CharField(blank=True, help_text='Other words that people use for it.', max_length=300)),
                        ('steps', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=250), blank=True, default=list, help_text='Policy steps at which the runbook is shown, each as POLICY: NAME OF THE STEP.', size=None)),
                        ('source', models.ForeignKey(blank=True, help_text='The ticket whose resolution it was made from.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tickets.ticket')),
                        ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('changed_at', models.DateTimeField()),
                        ('current', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='current_of', to='tickets.articlerevision')),
                        ('services', models.ManyToManyField(blank=True, related_name='articles', to='tickets.service')),
                        ('categories', models.ManyToManyField(blank=True, related_name='articles', to='tickets.category')),
                    ],
                    options={
                        'ordering': ['title', 'id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'published', 'retired'])), name='article_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'published'), _negated=True), ('current__isnull', False), _connector='OR'), name='article_published_has_revision'), models.CheckConstraint(condition=models.Q(('audience__in', ['public', 'internal'])), name='article_audience_known'), models.CheckConstraint(condition=models.Q(models.Q(('title', ''), _negated=True), models.Q(('body', ''), _negated=True)), name='article_says_something')],
                    },
                ),
                migrations.CreateModel(
                    name='ArticleRevision',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('article', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='tickets.article')),
                        ('number', models.PositiveIntegerField()),
                        ('title', models.CharField(max_length=200)),
                        ('body', models.TextField()),
                        ('items', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), blank=True, default=list, size=None)),
                        ('keywords', models.CharField(blank=True, max_length=300)),
                        ('audience', models.CharField(choices=[('public', 'Everybody, on the portal'), ('internal', 'People of the service only')], max_length=8)),
                        ('published_at', models.DateTimeField()),
                        ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('note', models.CharField(blank=True, max_length=300, verbose_name='what changed')),
                        ('words', models.GeneratedField(db_persist=True, expression=django.contrib.postgres.search.CombinedSearchVector(django.contrib.postgres.search.CombinedSearchVector(django.contrib.postgres.search.CombinedSearchVector(django.contrib.postgres.search.SearchVector('title', 'keywords', config='english', weight='A'), '||', django.contrib.postgres.search.SearchVector('body', config='english', weight='C'), django.contrib.postgres.search.SearchConfig('english')), '||', django.contrib.postgres.search.SearchVector('title', 'keywords', config='german', weight='A'), django.contrib.postgres.search.SearchConfig('english')), '||', django.contrib.postgres.search.SearchVector('body', config='german', weight='C'), django.contrib.postgres.search.SearchConfig('english')), output_field=django.contrib.postgres.search.SearchVectorField())),
                    ],
                    options={
                        'ordering': ['article', '-number'],
                        'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['words'], name='article_words')],
                        'constraints': [models.UniqueConstraint(fields=('article', 'number'), name='article_revision_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ArticleVote',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('article', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='votes', to='tickets.article')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('helpful', models.BooleanField()),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('article', 'person'), name='article_vote_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ArticleUse',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('article', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='tickets.article')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='articles_used', to='tickets.ticket')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('article', 'ticket'), name='article_use_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Deflection',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('article', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deflections', to='tickets.article')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('day', models.DateField(help_text='Counted once a day for each person and article.')),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('article', 'person', 'day'), name='deflection_once_a_day')],
                    },
                ),
                migrations.CreateModel(
                    name='ChecklistMark',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='tickets.ticket')),
                        ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tickets.articlerevision')),
                        ('item', models.PositiveSmallIntegerField(help_text='Which step, counted from 0.')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'ordering': ['ticket', 'revision', 'item'],
                        'constraints': [models.UniqueConstraint(fields=('ticket', 'revision', 'item'), name='checklist_mark_once')],
                    },
                ),
            ],
        ),
    ]
