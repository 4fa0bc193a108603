"""API addresses of this room."""

from django.urls import URLPattern, path

from authorisation.api.views import MeView

urlpatterns: list[URLPattern] = [path("me", MeView.as_view(), name="api-me")]
