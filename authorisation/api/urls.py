"""API addresses of this room."""

from django.urls import URLPattern, path

from authorisation.api.schema import ApiKeyScheme, SignedRequestScheme
from authorisation.api.views import MeView

__all__ = ["ApiKeyScheme", "SignedRequestScheme", "urlpatterns"]

urlpatterns: list[URLPattern] = [path("me", MeView.as_view(), name="api-me")]
