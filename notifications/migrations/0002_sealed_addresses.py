"""Seals the addresses that are a right in themselves, and keeps why one was closed."""

from django.db import migrations, models

import notifications.sealed


def seal(apps, schema_editor):
    """Writing a row seals what the field says is to be sealed."""
    methods = apps.get_model("notifications", "ContactMethod")
    for row in methods.objects.filter(channel__in=["apprise", "push", "teams"]).iterator():
        row.save(update_fields=["address"])
    for row in apps.get_model("notifications", "Hook").objects.iterator():
        row.save(update_fields=["url"])


def unseal(apps, schema_editor):
    """An update goes past the field, so the text is written as it was read: open."""
    methods = apps.get_model("notifications", "ContactMethod")
    for row in methods.objects.filter(channel__in=["apprise", "push", "teams"]).iterator():
        methods.objects.filter(pk=row.pk).update(address=row.address)
    hooks = apps.get_model("notifications", "Hook")
    for row in hooks.objects.iterator():
        hooks.objects.filter(pk=row.pk).update(url=row.url)


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_tables")]

    operations = [
        migrations.AddField(
            model_name="contactmethod",
            name="ended_because",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                max_length=300,
                verbose_name="switched off because",
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="contactmethod",
            name="address",
            field=notifications.sealed.SealedField(
                max_length=1000, only_for=("channel", ("apprise", "push", "teams"))
            ),
        ),
        migrations.AlterField(
            model_name="hook",
            name="url",
            field=notifications.sealed.SealedField(max_length=500, verbose_name="address"),
        ),
        migrations.RunPython(seal, unseal),
    ]
