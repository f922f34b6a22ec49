"""What a host name of its own shows for ServiceNow's senders."""

from api.intake.servicenow import addresses

urlpatterns = addresses("")
