"""The tables of people, teams, calendars, on-call and the audit."""

import django.contrib.auth.validators
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
import roles.models.calendar
import roles.tables
import roles.zones
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("roles", "0001_initial"), ("roles", "0002_history_stands"), ("roles", "0003_schedule_history"), ("roles", "0004_public_holidays"), ("roles", "0005_published_rosters_stand"), ("roles", "0006_finer_token_scopes")]
    initial = True
    dependencies = [('auth', '0012_alter_user_first_name_max_length')]

    operations = [
        roles.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name='AuditEntry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField()),
                        ('actor_id', models.BigIntegerField(help_text='Empty: the system itself.', null=True)),
                        ('action', models.CharField(max_length=80)),
                        ('subject_type', models.CharField(max_length=80)),
                        ('subject_id', models.CharField(max_length=80)),
                        ('subject', models.CharField(help_text="The subject's name at that time.", max_length=300)),
                        ('changes', models.JSONField(default=dict)),
                        ('reason', models.TextField(blank=True)),
                    ],
                    options={
                        'verbose_name_plural': 'audit entries',
                        'ordering': ['-id'],
                        'indexes': [models.Index(fields=['subject_type', 'subject_id', '-id'], name='roles_audit_subject'), models.Index(fields=['actor_id', '-id'], name='roles_audit_actor'), models.Index(fields=['-at'], name='roles_audit_at')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('action', ''), _negated=True), name='roles_audit_has_action')],
                    },
                ),
                migrations.CreateModel(
                    name='Calendar',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('slug', models.SlugField(max_length=80, unique=True)),
                        ('name', models.CharField(max_length=200, unique=True)),
                        ('current', models.ForeignKey(blank=True, editable=False, help_text='The revision that new clocks start under.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roles.calendarrevision')),
                    ],
                    options={
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='CalendarRevision',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='roles.calendar')),
                        ('number', models.PositiveIntegerField()),
                        ('zone', models.CharField(max_length=64, validators=[roles.zones.validate_zone], verbose_name='time zone')),
                        ('spans', models.JSONField(help_text='Weekly opening hours: [weekday, start, end] with Monday 0 and minutes of the local day; an end above 1440 runs over midnight.')),
                        ('days_off', models.JSONField(blank=True, default=list, help_text='Closed local days, as ISO dates: 2026-12-25.')),
                        ('open_days', models.JSONField(blank=True, default=list, help_text='Public holidays that are worked, as ISO dates.')),
                        ('country', models.CharField(blank=True, help_text='Whose public holidays are closed, such as DE; or none.', max_length=2)),
                        ('region', models.CharField(blank=True, help_text='Such as BY; or none.', max_length=20)),
                        ('first_year', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('last_year', models.PositiveSmallIntegerField(blank=True, help_text='The last year whose public holidays are stored.', null=True)),
                        ('holidays', models.JSONField(blank=True, default=list, help_text='The public holidays of those years as they were known: [ISO date, name].')),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'ordering': ['calendar', '-number'],
                        'constraints': [models.UniqueConstraint(fields=('calendar', 'number'), name='roles_calendarrevision_number_once'), models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='roles_calendarrevision_has_zone'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(roles.models.calendar.JsonType(models.F('spans')), models.Value('array')), django.db.models.lookups.Exact(roles.models.calendar.JsonPathExists(models.F('spans'), models.Value('strict $[*] ? (@.type() != "array" || @.size() != 3 || @[*].type() != "number" || @[0] < 0 || @[0] > 6 || @[1] < 0 || @[1] >= 1440 || @[2] <= @[1] || @[2] > 2880)')), models.Value(False))), name='roles_calendarrevision_spans_sound'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(roles.models.calendar.JsonType(models.F('days_off')), models.Value('array')), django.db.models.lookups.Exact(roles.models.calendar.JsonPathExists(models.F('days_off'), models.Value('strict $[*] ? (@.type() != "string" || !(@ like_regex "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))')), models.Value(False))), name='roles_calendarrevision_days_sound'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(roles.models.calendar.JsonType(models.F('open_days')), models.Value('array')), django.db.models.lookups.Exact(roles.models.calendar.JsonPathExists(models.F('open_days'), models.Value('strict $[*] ? (@.type() != "string" || !(@ like_regex "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))')), models.Value(False))), name='roles_calendarrevision_open_sound'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(roles.models.calendar.JsonType(models.F('holidays')), models.Value('array')), django.db.models.lookups.Exact(roles.models.calendar.JsonPathExists(models.F('holidays'), models.Value('strict $[*] ? (@.type() != "array" || @.size() != 2 || @[*].type() != "string" || !(@[0] like_regex "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))')), models.Value(False))), name='roles_calendarrevision_holidays_sound'), models.CheckConstraint(condition=models.Q(models.Q(('country', ''), ('first_year__isnull', True), ('holidays', []), ('last_year__isnull', True), ('region', '')), models.Q(('country__regex', '^[A-Z]{2}$'), ('first_year__gte', 1970), ('first_year__isnull', False), ('last_year__gte', models.F('first_year')), ('last_year__isnull', False), ('last_year__lte', 2200)), _connector='OR'), name='roles_calendarrevision_holiday_range')],
                    },
                ),
                migrations.CreateModel(
                    name='Schedule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='schedule', to='roles.team')),
                        ('name', models.CharField(max_length=200)),
                        ('zone', models.CharField(help_text='IANA zone in which it is shown, and of layers that name no other.', max_length=64, validators=[roles.zones.validate_zone], verbose_name='time zone')),
                    ],
                    options={
                        'ordering': ['name'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='roles_schedule_has_zone')],
                    },
                ),
                migrations.CreateModel(
                    name='ScheduleRevision',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='roles.schedule')),
                        ('number', models.PositiveIntegerField()),
                        ('valid_from', models.DateTimeField()),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'ordering': ['schedule', '-number'],
                        'constraints': [models.UniqueConstraint(fields=('schedule', 'number'), name='roles_schedulerevision_number_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Rotation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rotations', to='roles.schedulerevision')),
                        ('position', models.PositiveSmallIntegerField(default=0, help_text='Where two layers have somebody on duty, the higher position wins.')),
                        ('name', models.CharField(max_length=200)),
                        ('zone', models.CharField(max_length=64, validators=[roles.zones.validate_zone], verbose_name='time zone')),
                        ('starts_on', models.DateField(help_text='First local day; the first person serves from here.')),
                        ('handover_time', models.TimeField(help_text='Local time at which a shift ends.')),
                        ('handover_weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0, help_text='Used when shifts last whole weeks.')),
                        ('shift_days', models.PositiveSmallIntegerField(blank=True, help_text='Length of a shift in days: 1 for daily, 7 for weekly; or give hours.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(366)])),
                        ('shift_hours', models.PositiveSmallIntegerField(blank=True, help_text='Length of a shift in hours by the wall clock, in place of days.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(2000)])),
                        ('restrictions', models.JSONField(blank=True, default=list, help_text='Weekly hours to which the layer is limited: [weekday, start, end] with Monday 0 and minutes of the local day; empty: all of the time.')),
                    ],
                    options={
                        'ordering': ['revision', 'position'],
                        'constraints': [models.UniqueConstraint(fields=('revision', 'position'), name='roles_rotation_position_once', violation_error_message='Another layer has this position.'), models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='roles_rotation_has_zone'), models.CheckConstraint(condition=models.Q(('handover_weekday__lte', 6)), name='roles_rotation_weekday_known'), models.CheckConstraint(condition=models.Q(models.Q(('shift_days__isnull', False), ('shift_hours__isnull', True)), models.Q(('shift_days__isnull', True), ('shift_hours__isnull', False)), _connector='OR'), name='roles_rotation_one_shift_length', violation_error_message='Give the length of a shift in days or in hours.'), models.CheckConstraint(condition=models.Q(models.Q(('shift_days__isnull', True), models.Q(('shift_days__gte', 1), ('shift_days__lte', 366)), _connector='OR'), models.Q(('shift_hours__isnull', True), models.Q(('shift_hours__gte', 1), ('shift_hours__lte', 2000)), _connector='OR')), name='roles_rotation_shift_length_sane'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(roles.models.calendar.JsonType(models.F('restrictions')), models.Value('array')), django.db.models.lookups.Exact(roles.models.calendar.JsonPathExists(models.F('restrictions'), models.Value('strict $[*] ? (@.type() != "array" || @.size() != 3 || @[*].type() != "number" || @[0] < 0 || @[0] > 6 || @[1] < 0 || @[1] >= 1440 || @[2] <= @[1] || @[2] > 2880)')), models.Value(False))), name='roles_rotation_restrictions_sound')],
                    },
                ),
                migrations.CreateModel(
                    name='RotationMember',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='roles.rotation')),
                        ('position', models.PositiveSmallIntegerField(help_text='Order of turns, from 0.')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rotation_places', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'ordering': ['rotation', 'position'],
                        'constraints': [models.UniqueConstraint(fields=('rotation', 'position'), name='roles_rotationmember_position_once', violation_error_message='Another person has this turn.')],
                    },
                ),
                migrations.CreateModel(
                    name='Swap',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='swaps', to='roles.schedule')),
                        ('giver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='swaps_given', to=settings.AUTH_USER_MODEL)),
                        ('taker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='swaps_taken', to=settings.AUTH_USER_MODEL)),
                        ('during', django.contrib.postgres.fields.ranges.DateTimeRangeField(help_text="The giver's hours, which the taker would serve.")),
                        ('in_return', django.contrib.postgres.fields.ranges.DateTimeRangeField(blank=True, help_text="The taker's hours, which the giver would serve; or none.", null=True)),
                        ('state', models.CharField(choices=[('requested', 'Waiting for the other'), ('accepted', 'Agreed'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='requested', max_length=10)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('requested_at', models.DateTimeField(editable=False)),
                        ('requested_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('answered_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('answered_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'ordering': ['-requested_at', '-id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('giver', models.F('taker')), _negated=True), name='roles_swap_between_two', violation_error_message='A swap needs two people.'), models.CheckConstraint(condition=models.Q(('during__isempty', False), ('during__lower_inf', False), ('during__upper_inf', False)), name='roles_swap_has_ends', violation_error_message='A swap needs a start and a later end.'), models.CheckConstraint(condition=models.Q(('in_return__isnull', True), models.Q(('in_return__isempty', False), ('in_return__lower_inf', False), ('in_return__upper_inf', False)), _connector='OR'), name='roles_swap_return_has_ends', violation_error_message='The hours in return need a start and a later end.'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('state', 'requested')), models.Q(('answered_at__isnull', False), ('state__in', ['accepted', 'declined', 'withdrawn'])), _connector='OR'), name='roles_swap_answered_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Override',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='roles.schedule')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='overrides', to=settings.AUTH_USER_MODEL)),
                        ('during', django.contrib.postgres.fields.ranges.DateTimeRangeField(help_text='From (included) to (excluded).')),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('swap', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='overrides', to='roles.swap')),
                        ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ],
                    options={
                        'ordering': ['schedule', 'during'],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('schedule_id'), models.F('schedule_id'), models.Value('[]'), function='int8range'), '&&'), ('during', '&&')], name='roles_override_no_overlap', violation_error_message='Another override covers part of that time.'), models.CheckConstraint(condition=models.Q(('during__isempty', False), ('during__lower_inf', False), ('during__upper_inf', False)), name='roles_override_has_ends', violation_error_message='An override needs a start and a later end.')],
                    },
                ),
                migrations.CreateModel(
                    name='CalendarLink',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calendar_links', to=settings.AUTH_USER_MODEL)),
                        ('name', models.CharField(blank=True, help_text='Where it is used.', max_length=200)),
                        ('nonce', models.CharField(editable=False, max_length=32, unique=True)),
                        ('created_at', models.DateTimeField(editable=False)),
                        ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        'ordering': ['-created_at', '-id'],
                    },
                ),
                migrations.CreateModel(
                    name='Organisation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=200, unique=True)),
                        ('slug', models.SlugField(max_length=80, unique=True)),
                        ('may_see_own', models.BooleanField(default=False, help_text="Its people see each other's tickets, except restricted ones.", verbose_name='sees its own tickets')),
                    ],
                    options={
                        'ordering': ['name'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='roles_organisation_has_name')],
                    },
                ),
                migrations.CreateModel(
                    name='Tier',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('responsibilities', models.TextField(blank=True, help_text='What it answers for.')),
                        ('hands_over', models.TextField(blank=True, help_text='What it must hand over when it escalates, and what it needs itself.')),
                        ('escalates_to', models.TextField(blank=True, help_text='Where it escalates to, and when.')),
                        ('slug', models.SlugField(max_length=80, unique=True)),
                        ('name', models.CharField(max_length=200)),
                        ('kind', models.CharField(choices=[('ladder', 'Rung of the ladder'), ('lane', 'Lane beside the ladder')], max_length=10)),
                        ('rank', models.SmallIntegerField(blank=True, help_text='Height on the ladder, from 0 for self-service; empty for a lane.', null=True, unique=True)),
                        ('is_vendor', models.BooleanField(default=False, help_text='Never reached by climbing; engaged by its own act.', verbose_name='outside vendor')),
                    ],
                    options={
                        'ordering': [models.OrderBy(models.F('rank'), nulls_last=True), 'name'],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('kind', 'ladder'), ('rank__isnull', False)), models.Q(('kind', 'lane'), ('rank__isnull', True)), _connector='OR'), name='roles_tier_rank_iff_ladder', violation_error_message='A rung of the ladder has a rank; a lane has none.'), models.CheckConstraint(condition=models.Q(('rank__isnull', True), ('rank__gte', 0), _connector='OR'), name='roles_tier_rank_from_zero')],
                    },
                ),
                migrations.CreateModel(
                    name='Team',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('responsibilities', models.TextField(blank=True, help_text='What it answers for.')),
                        ('hands_over', models.TextField(blank=True, help_text='What it must hand over when it escalates, and what it needs itself.')),
                        ('escalates_to', models.TextField(blank=True, help_text='Where it escalates to, and when.')),
                        ('slug', models.SlugField(max_length=80, unique=True)),
                        ('name', models.CharField(max_length=200, unique=True)),
                        ('tier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to='roles.tier')),
                        ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to='roles.calendar')),
                        ('lead', models.ForeignKey(blank=True, help_text='First point of internal escalation.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='teams_led', to=settings.AUTH_USER_MODEL)),
                        ('manager', models.ForeignKey(blank=True, help_text='Told after the lead.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='teams_managed', to=settings.AUTH_USER_MODEL)),
                        ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                        ('is_service_desk', models.BooleanField(default=False, help_text='Takes what no service or category sends elsewhere. One team at most.', verbose_name='the service desk')),
                        ('is_active', models.BooleanField(default=True, help_text='An inactive team receives no new tickets.', verbose_name='active')),
                    ],
                    options={
                        'ordering': ['name'],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('is_service_desk', True)), fields=('is_service_desk',), name='roles_team_one_service_desk', violation_error_message='Another team is the service desk already.')],
                    },
                ),
                migrations.CreateModel(
                    name='Membership',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='roles.team')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                        ('role', models.CharField(choices=[('member', 'Analyst or engineer'), ('lead', 'Team lead'), ('manager', 'Manager')], default='member', max_length=10)),
                        ('joined_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ],
                    options={
                        'ordering': ['team', 'person'],
                        'constraints': [models.UniqueConstraint(fields=('team', 'person'), name='roles_membership_once', violation_error_message='This person is in the team already.'), models.CheckConstraint(condition=models.Q(('role__in', ['member', 'lead', 'manager'])), name='roles_membership_role_known')],
                    },
                ),
                migrations.CreateModel(
                    name='Duty',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('responsibilities', models.TextField(blank=True, help_text='What it answers for.')),
                        ('hands_over', models.TextField(blank=True, help_text='What it must hand over when it escalates, and what it needs itself.')),
                        ('escalates_to', models.TextField(blank=True, help_text='Where it escalates to, and when.')),
                        ('slug', models.SlugField(max_length=80, unique=True)),
                        ('name', models.CharField(max_length=200)),
                    ],
                    options={
                        'verbose_name_plural': 'duties',
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='DutyAssignment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('duty', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='roles.duty')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='duty_assignments', to=settings.AUTH_USER_MODEL)),
                        ('assigned_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ],
                    options={
                        'ordering': ['duty', 'id'],
                        'constraints': [models.UniqueConstraint(fields=('duty', 'person'), name='roles_duty_once', violation_error_message='This person holds the duty already.')],
                    },
                ),
                migrations.CreateModel(
                    name='Person',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('username', models.CharField(error_messages={'unique': 'Somebody has this user name already.'}, help_text='Letters, digits and @ . + - _ ; upper and lower case count as the same.', max_length=150, unique=True, validators=[django.contrib.auth.validators.ASCIIUsernameValidator()])),
                        ('name', models.CharField(help_text='As it is shown to other people.', max_length=200)),
                        ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                        ('organisation', models.ForeignKey(blank=True, help_text='The customer group on whose behalf this person asks.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='people', to='roles.organisation')),
                        ('kind', models.CharField(choices=[('person', 'Person'), ('service', 'Service account')], default='person', max_length=10)),
                        ('is_vip', models.BooleanField(default=False, verbose_name='VIP')),
                        ('phone', models.CharField(blank=True, max_length=40)),
                        ('zone', models.CharField(default='UTC', help_text='IANA name, such as Europe/Berlin.', max_length=64, validators=[roles.zones.validate_zone], verbose_name='time zone')),
                        ('language', models.CharField(default='en', help_text='Such as en or de.', max_length=10)),
                        ('is_active', models.BooleanField(default=True, help_text='Switch off instead of deleting: no sign-in, no page, no message any more.', verbose_name='active')),
                        ('left_at', models.DateTimeField(blank=True, editable=False, help_text='When the account was switched off; what they served before stays theirs.', null=True)),
                        ('is_staff', models.BooleanField(default=False, help_text='What they may do there follows their duties.', verbose_name='may open the admin')),
                        ('date_joined', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ],
                    options={
                        'verbose_name_plural': 'people',
                        'ordering': ['name', 'id'],
                        'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('username'), name='roles_person_username_any_case', violation_error_message='Somebody has this user name already.'), models.UniqueConstraint(django.db.models.functions.text.Lower('email'), condition=models.Q(('email', ''), _negated=True), name='roles_person_email_any_case', violation_error_message='Somebody has this e-mail address already.'), models.CheckConstraint(condition=models.Q(('username__regex', '^[A-Za-z0-9_.@+-]+$')), name='roles_person_username_plain'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='roles_person_has_name', violation_error_message='A person needs a name.'), models.CheckConstraint(condition=models.Q(('kind__in', ['person', 'service'])), name='roles_person_kind_known'), models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='roles_person_has_zone')],
                    },
                ),
                migrations.CreateModel(
                    name='ApiToken',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                        ('name', models.CharField(help_text='Where it is used.', max_length=200)),
                        ('prefix', models.CharField(editable=False, max_length=16, unique=True)),
                        ('digest', models.CharField(editable=False, max_length=64)),
                        ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('tickets:read', 'Read tickets'), ('tickets:write', 'Open tickets and act on them'), ('catalog:read', 'Read teams, services, schedules, policies and articles'), ('knowledge:write', 'Write articles'), ('roster:write', 'Change who is on call'), ('admin:read', 'Read configuration and the audit'), ('admin:write', 'Change configuration, people, tokens and webhooks')], max_length=40), size=None)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('expires_at', models.DateTimeField(blank=True, help_text='Empty: never.', null=True)),
                        ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                        ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        'verbose_name': 'API token',
                        'ordering': ['-created_at', '-id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['tickets:read', 'tickets:write', 'catalog:read', 'knowledge:write', 'roster:write', 'admin:read', 'admin:write']), models.Q(('scopes', []), _negated=True)), name='roles_apitoken_scopes_known', violation_error_message='Choose at least one known scope.'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='roles_apitoken_digest_sha256')],
                    },
                ),
            ],
        ),
    ]
