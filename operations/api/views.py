"""Accounts as programs read them: cash and positions, in both views, now or as at a time."""

from __future__ import annotations

from datetime import datetime

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authorisation.domain.principal import Principal
from authorisation.models import ApiKey
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.domain.position_rows import cash_answer, positions_answer
from operations.selectors.positions import Positions, get_positions

AT = OpenApiParameter(
    "at", str, description="ISO 8601 with its zone: figures as the house knew them then; now when absent"
)


class AccountView(APIView):
    """What both views share: the account as the token's owner may see it."""

    def positions(self, request: Request, code: str) -> Positions:
        """Raises NotFound ACCOUNT_UNKNOWN, Invalid PARAMETERS_INVALID."""
        return get_positions(actor=self.principal(), code=code, now=utc_now(), at=_moment(request))

    def principal(self) -> Principal:
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return key.principal


class AccountCashView(AccountView):
    """``/accounts/<code>/cash``: per currency what is settled, pending by date, reserved, to trade and withdrawable."""

    @extend_schema(operation_id="account_cash", parameters=[AT], responses={200: dict})
    def get(self, request: Request, code: str) -> Response:
        return Response(cash_answer(self.positions(request, code)))


class AccountPositionsView(AccountView):
    """``/accounts/<code>/positions``: per instrument the position, what of it is unsettled, reserved, and what it cost."""

    @extend_schema(operation_id="account_positions", parameters=[AT], responses={200: dict})
    def get(self, request: Request, code: str) -> Response:
        return Response(positions_answer(self.positions(request, code)))


def _moment(request: Request) -> datetime | None:
    text = request.query_params.get("at", "")
    if set(request.query_params) - {"at"}:
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        sentence = "A time with its zone, like 2026-11-25T14:30:00+00:00."
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", {"at": [sentence]})
    return moment
