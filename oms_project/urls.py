"""Every address of the house. A room lists its own; the roof only says under which prefix."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView

handler400 = "oms_project.api_errors.bad_request"
handler404 = "oms_project.api_errors.not_found"
handler500 = "oms_project.api_errors.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("authorisation.urls")),
    path("", include("operations.urls")),
    path("", include("orders.urls")),
    path("", include("venues.urls")),
    path("api/v1/", include("authorisation.api.urls")),
    path("api/v1/", include("orders.api.urls")),
    path("api/v1/", include("allocations.api.urls")),
    path("api/v1/", include("operations.api.urls")),
    path("api/v1/", include("outbound.api.urls")),
    path("api/v1/schema", SpectacularJSONAPIView.as_view(), name="api-schema"),
]
