"""API addresses of this room."""

from django.urls import URLPattern, path

from operations.api.views import AccountCashView, AccountPositionsView

urlpatterns: list[URLPattern] = [
    path("accounts/<str:code>/cash", AccountCashView.as_view(), name="api-account-cash"),
    path("accounts/<str:code>/positions", AccountPositionsView.as_view(), name="api-account-positions"),
]
