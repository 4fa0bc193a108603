"""API addresses of this room."""

from django.urls import URLPattern, path

from operations.api.stops import StopReleaseView, StopsView, StopView
from operations.api.views import AccountCashView, AccountPositionsView, PricesView

urlpatterns: list[URLPattern] = [
    path("stops", StopsView.as_view(), name="api-stops"),
    path("stops/<uuid:stop_id>", StopView.as_view(), name="api-stop"),
    path("stops/<uuid:stop_id>/release", StopReleaseView.as_view(), name="api-stop-release"),
    path("accounts/<str:code>/cash", AccountCashView.as_view(), name="api-account-cash"),
    path("accounts/<str:code>/positions", AccountPositionsView.as_view(), name="api-account-positions"),
    path("prices", PricesView.as_view(), name="api-prices"),
]
