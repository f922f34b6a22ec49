"""Who may look at targets and policies, and who may change them."""

from django.db.models import Model
from django.http import HttpRequest

from roles.admin.audited import AuditedAdmin, may


class PolicyGuard(AuditedAdmin):
    """Written by those who manage policies, shown to all who see the service's figures.

    Nothing is deleted here: runs and clocks refer to it, so it is switched off instead.
    """

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, "manage_policies", "see_dashboard", "see_audit")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "manage_policies", "see_dashboard", "see_audit")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, "manage_policies")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "manage_policies")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
