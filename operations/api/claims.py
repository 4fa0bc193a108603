"""The API of what is claimed: market claims and the steps of buy-ins. What waits for a second person is answered with 202."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from allocations.domain.buying_in import BEARERS, STEPS
from allocations.domain.claiming import BY_ONE, BY_TWO
from allocations.models import Claim
from allocations.models.claims import OPEN
from allocations.permissions import require_work
from allocations.selectors.claims import find_claim, page_of_claims
from allocations.services._acting import LONGEST_REASON, Acted
from allocations.services.act_on_claim import act_on_claim
from allocations.services.ask_buy_in import ask_buy_in
from authorisation.domain.scopes import POST_TRADE_READ, POST_TRADE_WRITE
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.numbers import plain
from orders.api.reading import UNREADABLE, read_word
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView

LONGEST = 60
STATES = ("open", *(state for state, _ in Claim.STATES))
_NAMED = {"open": OPEN}


class BuyInStepSerializer(StrictSerializer):
    """A step and what it needs: ``domain.buying_in`` says what is missing, by field."""

    step = serializers.ChoiceField(choices=STEPS)
    qty = serializers.CharField(max_length=40, required=False, default="")
    amount = serializers.CharField(max_length=40, required=False, default="")
    agent = serializers.CharField(max_length=LONGEST, required=False, default="", allow_blank=True)
    reference = serializers.CharField(max_length=LONGEST, required=False, default="", allow_blank=True)
    bearer = serializers.ChoiceField(choices=["", *BEARERS], required=False, default="")
    reason = serializers.CharField(max_length=LONGEST_REASON)


class ClaimStepSerializer(StrictSerializer):
    """``agree`` and ``dispute`` hold at once; ``pay`` (with day and reference of the bank's entry) and ``write_off`` are asked."""

    step = serializers.ChoiceField(choices=[*BY_ONE, *BY_TWO])
    paid_on = serializers.CharField(max_length=10, required=False, default="", allow_blank=True)
    reference = serializers.CharField(max_length=LONGEST, required=False, default="", allow_blank=True)
    reason = serializers.CharField(max_length=LONGEST_REASON)


class ClaimActedAnswer(serializers.Serializer[Any]):
    """What was done; ``authorisation_id`` where it waits for a second person and nothing has changed yet."""

    sentence = serializers.CharField()
    authorisation_id = serializers.UUIDField(allow_null=True)


class ClaimAnswer(serializers.Serializer[Any]):
    """``units`` and ``amount`` above zero are owed to us; without a currency the amount is in shares. ``days_late`` of an open one."""

    ref = serializers.CharField()
    state = serializers.CharField()
    instruction = serializers.CharField()
    account = serializers.CharField()
    counterparty = serializers.CharField(allow_blank=True)
    symbol = serializers.CharField()
    ex_date = serializers.DateField()
    units = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField(allow_blank=True)
    expected_on = serializers.DateField()
    days_late = serializers.IntegerField()
    paid_on = serializers.DateField(allow_null=True)
    reference = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)


class ClaimsAnswer(serializers.Serializer[Any]):
    """Open ones first, the oldest on top. ``next`` is the ``after`` of the following page, null on the last."""

    next = serializers.CharField(allow_null=True)
    claims = ClaimAnswer(many=True)


class BuyInView(OrderApiView):
    """``/settlement-instructions/{ref}/buy-in``: ask for its next step."""

    scopes = {"POST": POST_TRADE_WRITE}

    @extend_schema(
        operation_id="settlement_instructions_buy_in",
        request=BuyInStepSerializer,
        parameters=[KEY],
        responses={202: ClaimActedAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        body, actor = self.body(BuyInStepSerializer), self.principal()
        require_work(actor)

        def work() -> tuple[int, Any]:
            done = ask_buy_in(
                actor=actor, at=utc_now(), idempotency_key=self.key(), route="api.settlement.buy-in", ref=ref,
                said={name: value for name, value in body.items() if name != "reason"}, reason=body["reason"],
            )  # fmt: skip
            return _answer(done)

        return self.once({**body, "ref": ref}, work)


class ClaimsView(OrderApiView):
    """``/market-claims``: all of them, or those in a state; a page of a hundred, further ones by ``after``."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {"GET": ("state", "after")}

    @extend_schema(
        operation_id="market_claims_list",
        parameters=[
            OpenApiParameter("state", str, enum=STATES),
            OpenApiParameter("after", str, description="As the page before said"),
        ],
        responses={200: ClaimsAnswer},
    )
    def get(self, request: Request) -> Response:
        asked, faults = request.query_params.dict(), dict[str, list[str]]()
        state = read_word(asked, "state", STATES, faults)
        if faults:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
        page = page_of_claims(
            self.principal(), today=utc_now().date(), states=_NAMED.get(state, (state,) if state else ()),
            after=asked.get("after", "")[:40],
        )  # fmt: skip
        claims = [_told(one.row) | {"days_late": one.age} for one in page.rows]
        return Response({"next": page.next_after or None, "claims": claims})


class ClaimActView(OrderApiView):
    """``/market-claims/{ref}/act``."""

    scopes = {"POST": POST_TRADE_WRITE}

    @extend_schema(
        operation_id="market_claims_act",
        request=ClaimStepSerializer,
        parameters=[KEY],
        responses={200: ClaimActedAnswer, 202: ClaimActedAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        body, actor = self.body(ClaimStepSerializer), self.principal()
        require_work(actor)

        def work() -> tuple[int, Any]:
            done = act_on_claim(
                actor=actor, at=utc_now(), idempotency_key=self.key(), route="api.settlement.claim", ref=ref,
                said={name: value for name, value in body.items() if name != "reason"}, reason=body["reason"],
            )  # fmt: skip
            return _answer(done)

        return self.once({**body, "ref": find_claim(actor, ref).ref}, work)


def _answer(done: Acted) -> tuple[int, Any]:
    waits = str(done.authorisation_id) if done.authorisation_id else None
    return 202 if waits else 200, {"sentence": done.sentence, "authorisation_id": waits}


def _told(row: Claim) -> dict[str, Any]:
    return {
        "ref": row.ref, "state": row.state, "instruction": row.instruction.ref, "account": row.account.code,
        "counterparty": row.counterparty, "symbol": row.action.listing.symbol, "ex_date": row.action.ex_date.isoformat(),
        "units": plain(row.units), "amount": plain(row.amount), "currency": row.currency,
        "expected_on": row.expected_on.isoformat(), "paid_on": row.paid_on.isoformat() if row.paid_on else None,
        "reference": row.reference, "reason": row.reason,
    }  # fmt: skip
