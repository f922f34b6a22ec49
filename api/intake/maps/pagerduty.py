"""What a host name of its own shows for PagerDuty's senders."""

from api.intake.urls import pagerduty

urlpatterns = pagerduty("")
