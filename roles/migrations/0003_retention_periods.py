"""How long each kind of stored thing is kept."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roles', '0002_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='Retention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(editable=False, max_length=24, unique=True)),
                ('days', models.PositiveIntegerField(blank=True, help_text='Days after its ticket was closed, or after it was settled. Empty: for good.', null=True, verbose_name='kept for (days)')),
                ('changed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('erased_at', models.DateTimeField(blank=True, editable=False, help_text='By the nightly task.', null=True, verbose_name='last erased')),
                ('erased_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='erased then')),
            ],
            options={
                'verbose_name': 'retention period',
                'ordering': ['kind'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind', ''), _negated=True), name='roles_retention_named'), models.CheckConstraint(condition=models.Q(('days__isnull', True), ('days__gte', 1), _connector='OR'), name='roles_retention_a_day_at_least')],
            },
        ),
    ]
