"""What support is given for: services, categories, and the teams that work on them."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models


class Service(models.Model):
    """Something the organisation offers and somebody owns."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120, unique=True)
    description = models.TextField(blank=True)
    owner_team = models.ForeignKey(
        "roles.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_services",
        help_text="The team that answers for the service, whatever tier works on a ticket.",
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ServiceSubscriber(models.Model):
    """Somebody who wants to hear of major incidents of a service."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="subscribers")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscribed"
    )
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "person"], name="service_subscriber_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} hears of {self.service}"


class Category(models.Model):
    """What a ticket is about, within or across services."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError where categories would form a circle."""
        super().clean()
        above, met = self.parent, {self.pk}
        while above is not None:
            if above.pk in met:
                raise ValidationError({"parent": "A category cannot stand under itself."})
            met.add(above.pk)
            above = above.parent


class Route(models.Model):
    """Which team of a tier works on a service or category; the most specific row wins."""

    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, null=True, blank=True, related_name="routes"
    )
    category = models.ForeignKey(
        Category, on_delete=models.CASCADE, null=True, blank=True, related_name="routes"
    )
    tier = models.ForeignKey("roles.Tier", on_delete=models.PROTECT, related_name="routes")
    team = models.ForeignKey("roles.Team", on_delete=models.PROTECT, related_name="routes")
    takes_new = models.BooleanField(
        default=False,
        help_text="New tickets go straight to this team instead of the service desk.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Switched off, it is as if it were not there."
    )

    class Meta:
        ordering = ["tier__rank", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "category", "tier"],
                nulls_distinct=False,
                name="route_one_team_per_rung",
            ),
        ]

    def __str__(self) -> str:
        about = " / ".join(str(part) for part in (self.service, self.category) if part)
        return f"{about or 'anything'} on {self.tier}: {self.team}"

    def clean(self) -> None:
        """Raise ValidationError where the team of a route in force does not sit on its tier."""
        super().clean()
        if not self.is_active or self.team_id is None or self.tier_id is None:
            return
        if self.team.tier_id != self.tier_id:
            sentence = f"{self.team} sits on {self.team.tier}, not on {self.tier}."
            raise ValidationError({"team": sentence})
