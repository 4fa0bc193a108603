"""API addresses of this room."""

from django.urls import URLPattern, path

from outbound.api.views import EventsView

urlpatterns: list[URLPattern] = [path("events", EventsView.as_view(), name="api-events")]
