"""What a host name of its own shows for Opsgenie's senders, and for its successor's."""

from api.intake.opsgenie_urls import addresses

urlpatterns = [
    *addresses("jsm/ops/integration/", "jsm"),
    *addresses("", "opsgenie"),
]
