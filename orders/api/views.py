"""The order API, version 1. A view turns a body into terms, calls one service, and turns its result into an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
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
from journal.domain.idempotency import check_key
from journal.services.answer_once import answer_once
from kernel.canonical import payload_hash
from kernel.clock import utc_now
from kernel.errors import Invalid
from orders.api.answers import order_body, preview_body, request_answer, row_body, version_body
from orders.api.documents import (
    ORDER_EXAMPLE,
    RELEASED_EXAMPLE,
    BatchAnswer,
    OrderPage,
    OrderWithVersions,
    PreviewAnswer,
    RequestAnswer,
)
from orders.api.parsers import DecimalJsonParser
from orders.api.reading import FILTERS, read_batch, read_dry_run, read_filters, refuse_parameters
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
from orders.services._answers import key_owner
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.preview_order import preview_order
from orders.services.replace_order import replace_order
from orders.services.stage_replace import stage_replace

KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    required=True,
    description="Yours, 1 to 200 printable characters, kept at least 30 days: the same key and body, the same answer.",
)

OPTIONAL_KEY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 200, "pattern": KEY_PATTERN}, OpenApiParameter.HEADER,
    description=f"Needed unless dry_run is true. {KEY.description}",
)  # fmt: skip
DRY_RUN = OpenApiParameter(
    "dry_run", str, enum=["true", "false"], description="true: every check on the facts of now, and nothing is kept"
)
ASKED: dict[Any, Any] = {201: RequestAnswer, 202: RequestAnswer, 422: RequestAnswer, 429: RequestAnswer}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": 500}


class OrderApiView(APIView):
    """What the views below share: the parser, the principal, the key, validation.

    ``parameters`` names what may stand in the query, by method: one that is not known is refused before anything is
    done, because ``?dry_run=true`` where there is no dry run must not do it in earnest.
    """

    parser_classes = [DecimalJsonParser]
    parameters: Mapping[str, Collection[str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks first, then what of the query is not known."""
        super().initial(request, *args, **kwargs)
        refuse_parameters(request, self.parameters.get("GET" if request.method == "HEAD" else request.method or "", ()))

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

    def once(self, body: Mapping[str, Any], work: Callable[[], tuple[int, Any]]) -> Response:
        """The answer of ``work``, done once under the caller's key for this address and body."""
        answered = answer_once(
            principal=key_owner(self.principal()),
            route=f"POST {self.request.path}",
            key=self.key(),
            payload_hash=payload_hash(body),
            at=utc_now(),
            work=work,
        )
        headers = {"Idempotency-Replayed": "true"} if answered.replayed else None
        return Response(answered.answer, status=answered.status, headers=headers)

    def body(self, serializer_class: type[StrictSerializer]) -> dict[str, Any]:
        """The body's values; a malformed one raises with a sentence a field."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class OrdersView(OrderApiView):
    """``/orders``: send one, list those you may see."""

    scopes = {"GET": ORDERS_READ, "POST": ORDERS_WRITE}
    parameters = {"GET": FILTERS, "POST": ("dry_run",)}

    @extend_schema(
        operation_id="orders_create",
        request=OrderBodySerializer,
        parameters=[OPTIONAL_KEY, DRY_RUN],
        responses={200: PreviewAnswer, **ASKED},
        examples=[ORDER_EXAMPLE, RELEASED_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        if read_dry_run(request.query_params):
            return self._preview()
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

    def _preview(self) -> Response:
        """Every check on the facts of now; nothing is kept, so it needs no key, but one that is sent is a proper one."""
        if "Idempotency-Key" in self.request.headers:
            check_key(self.key())
        body = self.body(OrderBodySerializer)
        preview = preview_order(
            actor=self.principal(),
            at=utc_now(),
            terms=order_terms(body),
            acknowledgements=acknowledgements(body),
            source="api",
        )
        return Response(preview_body(preview))

    @extend_schema(
        operation_id="orders_list",
        parameters=[
            OpenApiParameter("cursor", UUID, description="next_cursor of the page before"),
            OpenApiParameter("limit", _LIMIT, description="1 to 500, 100 when absent"),
            OpenApiParameter("open", str, enum=["true", "false"], description="true: only open orders"),
            OpenApiParameter("account", str),
            OpenApiParameter("symbol", str),
            OpenApiParameter("client_order_id", str),
        ],
        responses={200: OrderPage},
    )
    def get(self, request: Request) -> Response:
        page = list_orders(actor=self.principal(), **read_filters(request.query_params))
        cursor = str(page.next_cursor) if page.next_cursor else None
        return Response({"orders": [order_body(order) for order in page.orders], "next_cursor": cursor})


class BatchView(OrderApiView):
    """``/orders/batch``: 1 to 500 orders, each judged on its own, one key for all, an id of yours on each."""

    scopes = {"POST": ORDERS_WRITE}

    @extend_schema(
        operation_id="orders_batch", request=BatchBodySerializer, parameters=[KEY], responses={200: BatchAnswer}
    )
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

    @extend_schema(operation_id="orders_get", responses={200: OrderWithVersions})
    def get(self, request: Request, order_id: UUID) -> Response:
        order = get_order(actor=self.principal(), order_id=order_id)
        versions = [version_body(one) for one in order.requests.order_by("seq")]
        return Response(order_body(order) | {"versions": versions})


class ReplaceView(OrderApiView):
    """``/orders/{id}/replace``: ask for other terms."""

    scopes = {"POST": ORDERS_WRITE}

    @extend_schema(operation_id="orders_replace", request=ReplaceBodySerializer, parameters=[KEY], responses=ASKED)
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

    @extend_schema(
        operation_id="orders_cancel",
        request=CancelBodySerializer,
        parameters=[KEY],
        responses={200: RequestAnswer, **ASKED},
    )
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
