"""The protected status field: written by transitions and by loading from the database only."""

from typing import Any

from django.db import models
from django_fsm import FSMField
from django_fsm import FSMFieldDescriptor as Descriptor


class StatusDescriptor(Descriptor):
    """Refuses a direct write unless this very instance is being reloaded.

    django-fsm-2 lifts the protection on the shared field while any one instance refreshes, and
    never restores it when that refresh raises; the mark here stands on the instance instead.
    """

    def __set__(self, instance: models.Model, value: Any) -> None:
        if self.field.name in instance.__dict__ and "_reloading" not in instance.__dict__:
            raise AttributeError(f"Direct {self.field.name} modification is not allowed")
        self.field.set_proxy(instance, value)
        self.field.set_state(instance, value)


class StatusField(FSMField):
    descriptor_class = StatusDescriptor


class ProtectedStatusModel(models.Model):
    """A model whose status field keeps its protection while an instance reloads."""

    class Meta:
        abstract = True

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__["_reloading"] = True
        try:
            super().refresh_from_db(*args, **kwargs)
        finally:
            self.__dict__.pop("_reloading", None)
