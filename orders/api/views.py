"""The order API, version 1. A view turns a body into terms, calls one service, and turns its result into an answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authorisation.domain.principal import Principal
from authorisation.domain.scopes import ORDERS_READ, ORDERS_WRITE
from authorisation.models import ApiKey
from kernel.clock import utc_now
from kernel.errors import Invalid
from orders.api.answers import order_body, request_answer, row_body
from orders.api.parsers import DecimalJsonParser
from orders.api.reading import read_batch, read_filters
from orders.api.serializers import (
    BatchBodySerializer,
    CancelBodySerializer,
    OrderBodySerializer,
    ReplaceBodySerializer,
    StrictSerializer,
    acknowledgements,
    order_terms,
    replace_terms,
)
from orders.selectors import get_order, list_orders
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.replace_order import replace_order
from orders.services.stage_replace import stage_replace

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Yours, 1 to 200 printable characters, kept at least 30 days: the same key and body, the same answer.",
)


class OrderApiView(APIView):
    """What the views below share: the parser, the principal, the key, validation."""

    parser_classes = [DecimalJsonParser]

    def principal(self) -> Principal:
        """The principal behind the token; events name the key."""
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return key.principal

    def key(self) -> str:
        """The Idempotency-Key header, or Invalid."""
        key = self.request.headers.get("Idempotency-Key", "").strip()
        if not key or len(key) > 200 or not key.isprintable():
            raise Invalid(
                "IDEMPOTENCY_KEY_MISSING",
                "Send an Idempotency-Key header of 1 to 200 printable characters.",
                {"Idempotency-Key": ["Required."]},
            )
        return key

    def body(self, serializer_class: type[StrictSerializer]) -> dict[str, Any]:
        """The body's values; a malformed one raises with a sentence a field."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class OrdersView(OrderApiView):
    """``/orders``: send one, list those you may see."""

    scopes = {"GET": ORDERS_READ, "POST": ORDERS_WRITE}

    @extend_schema(operation_id="orders_create", request=OrderBodySerializer, parameters=[KEY], responses={201: dict})
    def post(self, request: Request) -> Response:
        key, body = self.key(), self.body(OrderBodySerializer)
        result = capture_order(
            actor=self.principal(),
            at=utc_now(),
            idempotency_key=key,
            route="POST /api/v1/orders",
            terms=order_terms(body),
            source="api",
            acknowledgements=acknowledgements(body),
        )
        return request_answer(result)

    @extend_schema(
        operation_id="orders_list",
        parameters=[
            OpenApiParameter("cursor", str, description="next_cursor of the page before"),
            OpenApiParameter("limit", int, description="1 to 500, 100 when absent"),
            OpenApiParameter("open", str, description="true: only open orders"),
            OpenApiParameter("account", str),
            OpenApiParameter("symbol", str),
            OpenApiParameter("client_order_id", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request) -> Response:
        page = list_orders(actor=self.principal(), **read_filters(request.query_params))
        cursor = str(page.next_cursor) if page.next_cursor else None
        return Response({"orders": [order_body(order) for order in page.orders], "next_cursor": cursor})


class BatchView(OrderApiView):
    """``/orders/batch``: 1 to 500 orders, each judged on its own, one key for all, an id of yours on each."""

    scopes = {"POST": ORDERS_WRITE}

    @extend_schema(operation_id="orders_batch", request=BatchBodySerializer, parameters=[KEY], responses={200: dict})
    def post(self, request: Request) -> Response:
        key = self.key()
        rows = self.body(BatchBodySerializer)["orders"]
        good, answers = read_batch(rows)
        captured = capture_orders(
            actor=self.principal(),
            at=utc_now(),
            idempotency_key=key,
            route="POST /api/v1/orders/batch",
            rows=good,
            source="api",
        )
        by_id = {row.client_row_id: row_body(row) for row in captured}
        ordered = [answer or by_id[str(row["client_order_id"])] for row, answer in zip(rows, answers, strict=True)]
        return Response({"orders": ordered}, status=status.HTTP_200_OK)


class OrderView(OrderApiView):
    """``/orders/{id}``: one order you may see."""

    scopes = {"GET": ORDERS_READ}

    @extend_schema(operation_id="orders_get", responses={200: dict})
    def get(self, request: Request, order_id: UUID) -> Response:
        return Response(order_body(get_order(actor=self.principal(), order_id=order_id)))


class ReplaceView(OrderApiView):
    """``/orders/{id}/replace``: ask for other terms."""

    scopes = {"POST": ORDERS_WRITE}

    @extend_schema(
        operation_id="orders_replace", request=ReplaceBodySerializer, parameters=[KEY], responses={201: dict}
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        key, body = self.key(), self.body(ReplaceBodySerializer)
        ask = stage_replace if body["staged"] else replace_order
        result = ask(
            actor=self.principal(),
            at=utc_now(),
            idempotency_key=key,
            route=f"POST /api/v1/orders/{order_id}/replace",
            order_id=order_id,
            terms=replace_terms(body),
            reason=body["reason"],
            acknowledgements=acknowledgements(body),
        )
        return request_answer(result)


class CancelView(OrderApiView):
    """``/orders/{id}/cancel``: ask for the order to be canceled. Never held for a second person."""

    scopes = {"POST": ORDERS_WRITE}
    removes_risk = True

    @extend_schema(operation_id="orders_cancel", request=CancelBodySerializer, parameters=[KEY], responses={201: dict})
    def post(self, request: Request, order_id: UUID) -> Response:
        key, body = self.key(), self.body(CancelBodySerializer)
        result = cancel_order(
            actor=self.principal(),
            at=utc_now(),
            idempotency_key=key,
            route=f"POST /api/v1/orders/{order_id}/cancel",
            order_id=order_id,
            reason=body["reason"],
        )
        return request_answer(result)
