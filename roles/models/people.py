"""Person: everybody who signs in, asks, works or is told, and every service account."""

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import models
from django.db.models.functions import Lower, Now

from roles.managers import PersonManager
from roles.zones import validate_zone


class Person(AbstractBaseUser, PermissionsMixin):
    """An account. Somebody who has acted is never deleted, only made inactive."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        SERVICE = "service", "Service account"

    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[ASCIIUsernameValidator()],
        help_text="Letters, digits and @ . + - _ ; upper and lower case count as the same.",
        error_messages={"unique": "Somebody has this user name already."},
    )
    name = models.CharField(max_length=200, help_text="As it is shown to other people.")
    email = models.EmailField("e-mail", blank=True)
    organisation = models.ForeignKey(
        "roles.Organisation",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="people",
        help_text="The customer group on whose behalf this person asks.",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    is_vip = models.BooleanField("VIP", default=False)
    phone = models.CharField(max_length=40, blank=True)
    zone = models.CharField(
        "time zone",
        max_length=64,
        default="UTC",
        validators=[validate_zone],
        help_text="IANA name, such as Europe/Berlin.",
    )
    language = models.CharField(max_length=10, default="en", help_text="Such as en or de.")
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Switch off instead of deleting: no sign-in, no page, no message any more.",
    )
    left_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the account was switched off; what they served before stays theirs.",
    )
    is_staff = models.BooleanField(
        "may open the admin",
        default=False,
        help_text="What they may do there follows their duties.",
    )
    date_joined = models.DateTimeField(db_default=Now(), editable=False)

    objects = PersonManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name", "email"]

    class Meta:
        verbose_name_plural = "people"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="roles_person_username_any_case",
                violation_error_message="Somebody has this user name already.",
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="roles_person_email_any_case",
                violation_error_message="Somebody has this e-mail address already.",
            ),
            models.CheckConstraint(
                condition=models.Q(username__regex=r"^[A-Za-z0-9_.@+-]+$"),
                name="roles_person_username_plain",
            ),
            models.CheckConstraint(
                condition=~models.Q(name=""),
                name="roles_person_has_name",
                violation_error_message="A person needs a name.",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["person", "service"]), name="roles_person_kind_known"
            ),
            models.CheckConstraint(condition=~models.Q(zone=""), name="roles_person_has_zone"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ", 1)[0]
