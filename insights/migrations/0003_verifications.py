"""Walks through the past, with what they found."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('insights', '0002_zone_of_days_and_mail_form'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('timelines', 'Timelines'), ('clocks', 'Clocks')], max_length=10)),
                ('asked_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='queued', max_length=8)),
                ('total', models.PositiveIntegerField(default=0, help_text='Tickets.')),
                ('done', models.PositiveIntegerField(default=0)),
                ('found', models.PositiveIntegerField(default=0)),
                ('findings', models.JSONField(blank=True, default=list, help_text='The first of them.')),
                ('heard_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('trouble', models.CharField(blank=True, max_length=500)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(models.F('what'), models.OrderBy(models.F('id'), descending=True), name='verification_last')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ['queued', 'running'])), models.Q(('ended_at__isnull', False), ('state__in', ['done', 'failed'])), _connector='OR'), name='verification_ended_has_time'), models.CheckConstraint(condition=models.Q(('what__in', ['timelines', 'clocks'])), name='verification_of_something'), models.UniqueConstraint(condition=models.Q(('state__in', ['queued', 'running'])), fields=('what',), name='verification_one_at_a_time'), models.CheckConstraint(condition=models.Q(('trouble', ''), ('state', 'failed'), _connector='OR'), name='verification_trouble_failed')],
            },
        ),
    ]
