"""API addresses of this room."""

from django.urls import URLPattern, path

from orders.api.views import BatchView, CancelView, OrdersView, OrderView, ReplaceView

urlpatterns: list[URLPattern] = [
    path("orders", OrdersView.as_view(), name="api-orders"),
    path("orders/batch", BatchView.as_view(), name="api-orders-batch"),
    path("orders/<uuid:order_id>", OrderView.as_view(), name="api-order"),
    path("orders/<uuid:order_id>/replace", ReplaceView.as_view(), name="api-order-replace"),
    path("orders/<uuid:order_id>/cancel", CancelView.as_view(), name="api-order-cancel"),
]
