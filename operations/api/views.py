"""Accounts and prices as programs read them: cash and positions in both views, now or as at a time; prices of now."""

from __future__ import annotations

import re
from datetime import datetime

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authorisation.domain.principal import Principal
from authorisation.domain.scopes import ACCOUNTS_READ, PRICES_READ
from authorisation.models import ApiKey
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.api.documents import CashAnswer, PositionsAnswer, PricesAnswer
from operations.domain.position_rows import cash_answer, positions_answer
from operations.domain.price_state import price_answer, state_of
from operations.selectors.positions import Positions, get_positions
from operations.selectors.price_board import age_marks
from refdata.selectors import find_listings_by_symbol

MOST_SYMBOLS = 100
RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
AT = OpenApiParameter(
    "at", datetime, description="ISO 8601 with its zone: figures as the house knew them then; now when absent"
)


class AccountView(APIView):
    """What both views share: the account as the token's owner may see it."""

    scopes = {"GET": ACCOUNTS_READ}

    def positions(self, request: Request, code: str) -> Positions:
        """Raises NotFound ACCOUNT_UNKNOWN, Invalid PARAMETERS_INVALID."""
        return get_positions(actor=self.principal(), code=code, now=utc_now(), at=_moment(request))

    def principal(self) -> Principal:
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return key.principal


class AccountCashView(AccountView):
    """``/accounts/<code>/cash``: per currency what is settled, pending by date, reserved, to trade and withdrawable."""

    @extend_schema(operation_id="account_cash", parameters=[AT], responses={200: CashAnswer})
    def get(self, request: Request, code: str) -> Response:
        return Response(cash_answer(self.positions(request, code)))


class AccountPositionsView(AccountView):
    """``/accounts/<code>/positions``: per instrument the position, what of it is unsettled, reserved, and what it cost."""

    @extend_schema(operation_id="account_positions", parameters=[AT], responses={200: PositionsAnswer})
    def get(self, request: Request, code: str) -> Response:
        return Response(positions_answer(self.positions(request, code)))


class PricesView(APIView):
    """``/prices``: bid, ask, last, age, phase and state of some listings, in their price unit. Every desk may read them."""

    scopes = {"GET": PRICES_READ}

    @extend_schema(
        operation_id="prices",
        parameters=[OpenApiParameter("symbols", str, required=True, description="1 to 100 symbols, comma-separated")],
        responses={200: PricesAnswer},
    )
    def get(self, request: Request) -> Response:
        symbols = list(
            dict.fromkeys(filter(None, (s.strip() for s in request.query_params.get("symbols", "").split(","))))
        )
        if set(request.query_params) - {"symbols"} or not 1 <= len(symbols) <= MOST_SYMBOLS:
            sentence = f"1 to {MOST_SYMBOLS} symbols, comma-separated."
            raise Invalid(
                "PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", {"symbols": [sentence]}
            )
        at = utc_now()
        marks = age_marks(at)
        found = find_listings_by_symbol(symbols, at=at)
        prices = [price_answer(listing, state_of(listing, marks, at), at) for listing in found.values()]
        unknown = [symbol for symbol in symbols if symbol not in found]
        return Response({"at": at.isoformat(), "prices": prices, "unknown": unknown})


def _moment(request: Request) -> datetime | None:
    text = request.query_params.get("at")
    if set(request.query_params) - {"at"}:
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text) if RFC_3339.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        sentence = "A time with its zone, like 2026-11-25T14:30:00+00:00."
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", {"at": [sentence]})
    return moment
