"""The API of settlement: instructions with all that was said of them and what may be done about one, cash to come, files of custodians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors.forecast import CashForecast, forecast_cash
from allocations.models import SettlementInstruction, SettlementStatus
from allocations.permissions import require_work
from allocations.selectors.penalties import PenaltySum, penalty_of, rates_in_force, sum_penalties
from allocations.selectors.settlement import (
    STEPS,
    find_instruction,
    get_instruction,
    seen_accounts,
    visible_instructions,
)
from allocations.selectors.settlement_forecast import ForecastLine, Split, forecast_settlement
from allocations.selectors.settlement_list import InstructionFilter, page_of_instructions
from allocations.services._acting import LONGEST_REASON, Acted
from allocations.services.hold_instruction import hold_instruction
from allocations.services.receive_statuses import SOURCE_LENGTH, receive_statuses
from allocations.services.release_instruction import release_instruction
from allocations.services.send_again import send_again
from authorisation.domain.scopes import POST_TRADE_READ, POST_TRADE_WRITE
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.numbers import plain
from orders.api.reading import UNREADABLE, read_day, read_word
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView

MOST_TEXT = 1_000_000
STATES = (*STEPS, "canceled")
SPLITS = tuple(split.value for split in Split)


class SettlementInstructionsAnswer(serializers.Serializer[Any]):
    """Instructions by settlement date, the oldest first; figures as text, units and money apart. ``next`` is the ``after`` of the
    following page, null on the last."""

    next = serializers.CharField(allow_null=True)
    instructions = serializers.ListField(child=serializers.DictField())


class SettlementInstructionAnswer(serializers.Serializer[Any]):
    """One instruction, and what custodians said of it in the order in which it took effect."""

    ref = serializers.CharField()
    state = serializers.CharField()
    statuses = serializers.ListField(child=serializers.DictField())


class CashForecastAnswer(serializers.Serializer[Any]):
    """By currency: settled now, what waits to be paid out, and each date with receipts, payments and what is expected then.

    ``instructed``: of open instructions, split as asked, with what is not affirmed and what fails (expected on the next
    settlement day of its market). ``penalties``: what fails are likely to cost and bring so far, by currency; nothing of it is booked."""

    today = serializers.DateField()
    cash = serializers.ListField(child=serializers.DictField())
    instructed = serializers.ListField(child=serializers.DictField())
    penalties = serializers.ListField(child=serializers.DictField())


class InstructionActSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class InstructionActAnswer(serializers.Serializer[Any]):
    """What was done, and the instruction as it is then."""

    sentence = serializers.CharField()
    instruction = serializers.DictField()


class SettlementFileSerializer(StrictSerializer):
    """``custodian`` is whose word it is, ``content`` the text of a file: sese.024 and sese.025, or CSV (docs/formats/settlement.md)."""

    custodian = serializers.CharField(max_length=SOURCE_LENGTH)
    content = serializers.CharField(max_length=MOST_TEXT, trim_whitespace=False)


class SettlementFileAnswer(serializers.Serializer[Any]):
    """What became of a file: records in it, those that were new, instructions that moved, and records that cannot be read."""

    sha256 = serializers.CharField()
    records = serializers.IntegerField()
    stored = serializers.IntegerField()
    moved = serializers.IntegerField()
    contradictions = serializers.IntegerField()
    unknown = serializers.IntegerField()
    bad = serializers.ListField(child=serializers.DictField())


class InstructionsView(OrderApiView):
    """``/settlement-instructions``: what is not over, or as asked; a page of a hundred, further ones by ``after``."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {
        "GET": ("settlement_date", "state", "account", "currency", "mic", "custodian", "age", "held", "after")
    }

    @extend_schema(
        operation_id="settlement_instructions_list",
        parameters=[
            OpenApiParameter("settlement_date", OpenApiTypes.DATE),
            OpenApiParameter("state", str, enum=STATES),
            OpenApiParameter("account", str),
            OpenApiParameter("currency", str),
            OpenApiParameter("mic", str),
            OpenApiParameter("custodian", str, description="BIC"),
            OpenApiParameter("age", int, description="Settlement days late, at least"),
            OpenApiParameter("held", str, enum=("yes",)),
            OpenApiParameter("after", str, description="As the page before said"),
        ],
        responses={200: SettlementInstructionsAnswer},
    )
    def get(self, request: Request) -> Response:
        asked, faults = request.query_params.dict(), dict[str, list[str]]()
        day = read_day(asked, "settlement_date", faults)
        state = read_word(asked, "state", STATES, faults)
        held = read_word(asked, "held", ("yes",), faults)
        age = asked.get("age", "")
        if age and not (age.isascii() and age.isdecimal() and len(age) < 4):
            faults["age"] = ["Settlement days late: a number below 1,000."]
        if faults:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
        texts = {name: asked.get(name, "")[:24] for name in ("account", "currency", "mic", "custodian")}
        wanted = InstructionFilter(day, state, age=int(age) if age else None, held=bool(held), **texts)
        page = page_of_instructions(self.principal(), wanted, at=utc_now(), after=asked.get("after", "")[:40])
        return Response({"next": page.next_after or None, "instructions": [_told(row) for row in page.rows]})


class InstructionView(OrderApiView):
    """``/settlement-instructions/{ref}``."""

    scopes = {"GET": POST_TRADE_READ}

    @extend_schema(operation_id="settlement_instructions_get", responses={200: SettlementInstructionAnswer})
    def get(self, request: Request, ref: str) -> Response:
        one = get_instruction(self.principal(), ref)
        penalty = penalty_of(one.row, at=utc_now(), rates=rates_in_force())
        told = (
            {"amount": plain(penalty.amount) if penalty.amount is not None else None, "why": penalty.why}
            if penalty
            else None
        )
        return Response(_told(one.row) | {"penalty_estimate": told, "statuses": [_said(row) for row in one.statuses]})


class InstructionActView(OrderApiView):
    """``/settlement-instructions/{ref}/hold``, ``…/release`` and ``…/send-again``."""

    scopes = {"POST": POST_TRADE_WRITE}
    name = ""
    service: Callable[..., Acted]

    def act(self, ref: str) -> Response:
        """By the service that the address names; the answer has the instruction that lives then."""
        body, actor = self.body(InstructionActSerializer), self.principal()

        def work() -> tuple[int, Any]:
            done = type(self).service(
                actor=actor, at=utc_now(), idempotency_key=self.key(), route=f"api.settlement.{self.name}", ref=ref,
                reason=body["reason"],
            )  # fmt: skip
            row = find_instruction(actor, ref)
            successor = visible_instructions(actor).filter(replaces=row).first()
            return 200, {"sentence": done.sentence, "instruction": _told(successor or row)}

        return self.once({**body, "ref": ref}, work)


class HoldInstructionView(InstructionActView):
    """Hold back what has not left."""

    name, service = "hold", hold_instruction

    @extend_schema(
        operation_id="settlement_instructions_hold",
        request=InstructionActSerializer,
        parameters=[KEY],
        responses={200: InstructionActAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        return self.act(ref)


class ReleaseInstructionView(InstructionActView):
    """Release what somebody held back."""

    name, service = "release", release_instruction

    @extend_schema(
        operation_id="settlement_instructions_release",
        request=InstructionActSerializer,
        parameters=[KEY],
        responses={200: InstructionActAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        return self.act(ref)


class SendAgainView(InstructionActView):
    """Send what its custodian refused under the next reference."""

    name, service = "again", send_again

    @extend_schema(
        operation_id="settlement_instructions_send_again",
        request=InstructionActSerializer,
        parameters=[KEY],
        responses={200: InstructionActAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        return self.act(ref)


class CashForecastView(OrderApiView):
    """``/cash-forecast``: net cash by date and currency over all accounts the caller sees, fails included."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {"GET": ("by",)}

    @extend_schema(
        operation_id="cash_forecast_get",
        parameters=[
            OpenApiParameter("by", str, enum=SPLITS, description="How ``instructed`` is split; none when absent")
        ],
        responses={200: CashForecastAnswer},
    )
    def get(self, request: Request) -> Response:
        faults: dict[str, list[str]] = {}
        by = read_word(request.query_params, "by", SPLITS, faults, absent=Split.NONE)
        if faults:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
        at, actor = utc_now(), self.principal()
        found = forecast_cash(list(seen_accounts(actor)), today=at.date())
        lines = forecast_settlement(actor, at=at, by=Split(by))
        return Response(
            {
                "today": at.date().isoformat(),
                "cash": [_cash(one) for one in found],
                "instructed": [_line(line, Split(by)) for line in lines],
                "penalties": [_penalty(one) for one in sum_penalties(actor, at=at)],
            }
        )


class SettlementFilesView(OrderApiView):
    """``/settlement-files``: bring what a custodian says. The same file again changes nothing."""

    scopes = {"POST": POST_TRADE_WRITE}

    @extend_schema(
        operation_id="settlement_files_create",
        request=SettlementFileSerializer,
        parameters=[KEY],
        responses={201: SettlementFileAnswer},
    )
    def post(self, request: Request) -> Response:
        require_work(self.principal())
        body = self.body(SettlementFileSerializer)
        return self.once(dict(body), lambda: (status.HTTP_201_CREATED, self._take(body)))

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        done = receive_statuses(
            actor=self.principal(), at=utc_now(), content=body["content"].encode(), source=body["custodian"]
        )
        return {
            "sha256": done.sha256,
            "records": done.records,
            "stored": done.stored,
            "moved": done.moved,
            "contradictions": done.contradictions,
            "unknown": done.unknown,
            "bad": [{"line": one.line, "sentence": one.sentence} for one in done.bad],
        }


def _told(row: SettlementInstruction) -> dict[str, Any]:
    standing = row.standing
    return {
        "ref": row.ref,
        "state": row.state,
        "account": row.account.code,
        "symbol": row.allocation.block.listing.symbol,
        "delivery": row.delivery,
        "quantity": plain(row.qty),
        "amount": plain(row.amount),
        "currency": row.currency,
        "settled_quantity": plain(row.settled_qty),
        "settled_amount": plain(row.settled_amount),
        "trade_date": row.trade_date.isoformat(),
        "settlement_date": row.settlement_date.isoformat(),
        "agent": standing.agent if standing is not None else None,
        "reason_code": row.reason_code,
        "reason": row.reason,
        "failing_since": row.failing_since.isoformat() if row.failing_since else None,
        "buy_in": row.buy_in or None,
        "buy_in_on": row.buy_in_on.isoformat() if row.buy_in_on else None,
        "held_by": row.held_by or None,
        "held_why": row.held_why or None,
        "transforms": row.transforms.ref if row.transforms is not None else None,
        "of_quantity": plain(row.of_qty) if row.of_qty is not None else None,
    }


def _line(line: ForecastLine, by: Split) -> dict[str, Any]:
    split = {} if by is Split.NONE else {by.value: line.key or None}
    return split | {
        "currency": line.currency,
        "date": line.day.isoformat(),
        "instructions": line.count,
        "receipts": plain(line.receipts),
        "payments": plain(line.payments),
        "net": plain(line.net),
        "not_affirmed": plain(line.unaffirmed),
        "failing": plain(line.failing),
    }


def _said(row: SettlementStatus) -> dict[str, Any]:
    return {
        "source": row.source,
        "status": row.status,
        "their_ref": row.their_ref,
        "quantity": plain(row.qty) if row.qty is not None else None,
        "amount": plain(row.amount) if row.amount is not None else None,
        "currency": row.currency,
        "reason_code": row.reason_code,
        "reason": row.reason,
        "effective_at": row.effective_at.isoformat(),
        "received_at": row.received_at.isoformat(),
    }


def _penalty(one: PenaltySum) -> dict[str, Any]:
    return {
        "currency": one.currency, "to_pay": plain(one.to_pay), "to_get": plain(one.to_get), "fails": one.count,
        "without_estimate": one.unknown,
    }  # fmt: skip


def _cash(one: CashForecast) -> dict[str, Any]:
    return {
        "currency": one.currency,
        "settled": plain(one.settled),
        "to_pay_out": plain(one.to_pay_out),
        "lowest": plain(one.lowest),
        "days": [
            {
                "date": line.day.isoformat(),
                "overdue": line.overdue,
                "receipts": plain(line.receipts),
                "payments": plain(line.payments),
                "net": plain(line.net),
                "expected": plain(line.expected),
            }
            for line in one.days
        ],
    }
