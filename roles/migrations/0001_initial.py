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
import roles.zones
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Calendar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('name', models.CharField(max_length=200, unique=True)),
            ],
            options={
                'ordering': ['name'],
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
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'Somebody has this user name already.'}, help_text='Letters, digits and @ . + - _ ; upper and lower case count as the same.', max_length=150, unique=True, validators=[django.contrib.auth.validators.ASCIIUsernameValidator()])),
                ('name', models.CharField(help_text='As it is shown to other people.', max_length=200)),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('kind', models.CharField(choices=[('person', 'Person'), ('service', 'Service account')], default='person', max_length=10)),
                ('is_vip', models.BooleanField(default=False, verbose_name='VIP')),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('zone', models.CharField(default='UTC', help_text='IANA name, such as Europe/Berlin.', max_length=64, validators=[roles.zones.validate_zone], verbose_name='time zone')),
                ('language', models.CharField(default='en', help_text='Such as en or de.', max_length=10)),
                ('is_active', models.BooleanField(default=True, help_text='Switch off instead of deleting: no sign-in, no page, no message any more.', verbose_name='active')),
                ('is_staff', models.BooleanField(default=False, help_text='What they may do there follows their duties.', verbose_name='may open the admin')),
                ('date_joined', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('organisation', models.ForeignKey(blank=True, help_text='The customer group on whose behalf this person asks.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='people', to='roles.organisation')),
            ],
            options={
                'verbose_name_plural': 'people',
                'ordering': ['name', 'id'],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('username'), name='roles_person_username_any_case', violation_error_message='Somebody has this user name already.'), models.UniqueConstraint(django.db.models.functions.text.Lower('email'), condition=models.Q(('email', ''), _negated=True), name='roles_person_email_any_case', violation_error_message='Somebody has this e-mail address already.'), models.CheckConstraint(condition=models.Q(('username__regex', '^[A-Za-z0-9_.@+-]+$')), name='roles_person_username_plain'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='roles_person_has_name', violation_error_message='A person needs a name.'), models.CheckConstraint(condition=models.Q(('kind__in', ['person', 'service'])), name='roles_person_kind_known'), models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='roles_person_has_zone')],
            },
        ),
        migrations.CreateModel(
            name='CalendarRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('zone', models.CharField(max_length=64, validators=[roles.zones.validate_zone], verbose_name='time zone')),
                ('spans', models.JSONField(help_text='Weekly opening hours: [weekday, start, end] with Monday 0 and minutes of the local day; an end above 1440 runs over midnight.')),
                ('days_off', models.JSONField(blank=True, default=list, help_text='Closed local days, as ISO dates: 2026-12-25.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='roles.calendar')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['calendar', '-number'],
                'constraints': [models.UniqueConstraint(fields=('calendar', 'number'), name='roles_calendarrevision_number_once'), models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='roles_calendarrevision_has_zone'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(roles.models.calendar.JsonType(models.F('spans')), models.Value('array')), django.db.models.lookups.Exact(roles.models.calendar.JsonPathExists(models.F('spans'), models.Value('strict $[*] ? (@.type() != "array" || @.size() != 3 || @[*].type() != "number" || @[0] < 0 || @[0] > 6 || @[1] < 0 || @[1] >= 1440 || @[2] <= @[1] || @[2] > 2880)')), models.Value(False))), name='roles_calendarrevision_spans_sound'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(roles.models.calendar.JsonType(models.F('days_off')), models.Value('array')), django.db.models.lookups.Exact(roles.models.calendar.JsonPathExists(models.F('days_off'), models.Value('strict $[*] ? (@.type() != "string" || !(@ like_regex "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))')), models.Value(False))), name='roles_calendarrevision_days_sound')],
            },
        ),
        migrations.CreateModel(
            name='DutyAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('assigned_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('duty', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='roles.duty')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='duty_assignments', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['duty', 'id'],
                'constraints': [models.UniqueConstraint(fields=('duty', 'person'), name='roles_duty_once', violation_error_message='This person holds the duty already.')],
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
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('is_service_desk', models.BooleanField(default=False, help_text='Takes what no service or category sends elsewhere. One team at most.', verbose_name='the service desk')),
                ('is_active', models.BooleanField(default=True, help_text='An inactive team receives no new tickets.', verbose_name='active')),
                ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to='roles.calendar')),
                ('lead', models.ForeignKey(blank=True, help_text='First point of internal escalation.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='teams_led', to=settings.AUTH_USER_MODEL)),
                ('manager', models.ForeignKey(blank=True, help_text='Told after the lead.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='teams_managed', to=settings.AUTH_USER_MODEL)),
                ('tier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to='roles.tier')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_service_desk', True)), fields=('is_service_desk',), name='roles_team_one_service_desk', violation_error_message='Another team is the service desk already.')],
            },
        ),
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('zone', models.CharField(help_text='Hand-over times are local to this IANA zone.', max_length=64, validators=[roles.zones.validate_zone], verbose_name='time zone')),
                ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='schedule', to='roles.team')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='roles_schedule_has_zone')],
            },
        ),
        migrations.CreateModel(
            name='Rotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Where two layers have somebody on duty, the higher position wins.')),
                ('name', models.CharField(max_length=200)),
                ('starts_on', models.DateField(help_text='First local day; the first person serves from here.')),
                ('handover_time', models.TimeField(help_text='Local time at which a shift ends.')),
                ('handover_weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0, help_text='Used when shifts last whole weeks.')),
                ('shift_days', models.PositiveSmallIntegerField(default=7, help_text='Length of a shift in days: 1 for daily, 7 for weekly.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(366)])),
                ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rotations', to='roles.schedule')),
            ],
            options={
                'ordering': ['schedule', 'position'],
                'constraints': [models.UniqueConstraint(fields=('schedule', 'position'), name='roles_rotation_position_once', violation_error_message='Another rotation has this position.'), models.CheckConstraint(condition=models.Q(('handover_weekday__lte', 6)), name='roles_rotation_weekday_known'), models.CheckConstraint(condition=models.Q(('shift_days__gte', 1), ('shift_days__lte', 366)), name='roles_rotation_shift_days_sane')],
            },
        ),
        migrations.CreateModel(
            name='RotationMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(help_text='Order of turns, from 0.')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rotation_places', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='roles.rotation')),
            ],
            options={
                'ordering': ['rotation', 'position'],
                'constraints': [models.UniqueConstraint(fields=('rotation', 'position'), name='roles_rotationmember_position_once', violation_error_message='Another person has this turn.')],
            },
        ),
        migrations.CreateModel(
            name='Override',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('during', django.contrib.postgres.fields.ranges.DateTimeRangeField(help_text='From (included) to (excluded).')),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='overrides', to=settings.AUTH_USER_MODEL)),
                ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='roles.schedule')),
            ],
            options={
                'ordering': ['schedule', 'during'],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('schedule_id'), models.F('schedule_id'), models.Value('[]'), function='int8range'), '&&'), ('during', '&&')], name='roles_override_no_overlap', violation_error_message='Another override covers part of that time.'), models.CheckConstraint(condition=models.Q(('during__isempty', False), ('during__lower_inf', False), ('during__upper_inf', False)), name='roles_override_has_ends', violation_error_message='An override needs a start and a later end.')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('member', 'Analyst or engineer'), ('lead', 'Team lead'), ('manager', 'Manager')], default='member', max_length=10)),
                ('joined_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='roles.team')),
            ],
            options={
                'ordering': ['team', 'person'],
                'constraints': [models.UniqueConstraint(fields=('team', 'person'), name='roles_membership_once', violation_error_message='This person is in the team already.'), models.CheckConstraint(condition=models.Q(('role__in', ['member', 'lead', 'manager'])), name='roles_membership_role_known')],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Where it is used.', max_length=200)),
                ('prefix', models.CharField(editable=False, max_length=16, unique=True)),
                ('digest', models.CharField(editable=False, max_length=64)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('tickets:read', 'Read tickets'), ('tickets:write', 'Open tickets and act on them'), ('catalog:read', 'Read teams and services'), ('admin:read', 'Read configuration and the audit')], max_length=40), size=None)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Empty: never.', null=True)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'API token',
                'ordering': ['-created_at', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['tickets:read', 'tickets:write', 'catalog:read', 'admin:read']), models.Q(('scopes', []), _negated=True)), name='roles_apitoken_scopes_known', violation_error_message='Choose at least one known scope.'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='roles_apitoken_digest_sha256')],
            },
        ),
        migrations.AddField(
            model_name='calendar',
            name='current',
            field=models.ForeignKey(blank=True, editable=False, help_text='The revision that new clocks start under.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roles.calendarrevision'),
        ),
    ]
