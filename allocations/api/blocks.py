"""The API of blocks and of what each account got of them. What a key's owner may not see is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from allocations.api.block_documents import (
    AllocationAnswer,
    AllocationPreviewAnswer,
    AllocationsAnswer,
    BlockAnswer,
    BlocksAnswer,
    BookAnswer,
    BookBodySerializer,
    PreviewBodySerializer,
    ReleaseLineBodySerializer,
)
from allocations.domain.second_person import Wanted
from allocations.models import Allocation, Block
from allocations.selectors.cases import said_for
from allocations.selectors.schemes import seen_lines
from allocations.selectors.seeing import get_block, visible_allocations, visible_blocks
from allocations.services.book_allocation import BOOKED, BookedAllocation, book_allocation, is_waiting
from allocations.services.preview_allocation import preview_allocation, preview_json
from allocations.services.release_parked import release_parked
from authorisation.domain.principal import Principal
from authorisation.domain.scopes import ALLOCATE_WRITE, POST_TRADE_READ
from kernel.clock import utc_now
from kernel.collecting import no_collecting
from kernel.errors import Invalid
from kernel.numbers import plain
from kernel.texts import utc_text
from orders.api.reading import UNREADABLE, read_day, read_word
from orders.api.views import KEY, OrderApiView

MOST, PAGE = 200, 1000
STATES = tuple(state for state, _ in Block.STATES)


class BlocksView(OrderApiView):
    """``/blocks``: those of the desks the key's owner may see, newest first."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {"GET": ("day", "state")}

    @extend_schema(
        operation_id="blocks_list",
        parameters=[
            OpenApiParameter("day", OpenApiTypes.DATE, description="Only of this trade date"),
            OpenApiParameter("state", str, enum=STATES, description="Only of this state"),
        ],
        responses={200: BlocksAnswer},
    )
    def get(self, request: Request) -> Response:
        wanted = read_filter(request.query_params)
        rows = visible_blocks(self.principal()).filter(kind=Block.Kind.BLOCK, **wanted)
        rows = rows.select_related("account", "listing", "desk").order_by("-number")[:MOST]
        return Response({"blocks": [block_body(block) for block in rows]})


class BlockView(OrderApiView):
    """``/blocks/{ref}``: one, with what it is allocated by when nobody says otherwise."""

    scopes = {"GET": POST_TRADE_READ}

    @extend_schema(operation_id="blocks_get", responses={200: BlockAnswer})
    def get(self, request: Request, ref: str) -> Response:
        actor = self.principal()
        block = get_block(actor, ref)
        said = said_for(block) if block.kind == Block.Kind.BLOCK else None
        return Response(
            block_body(block)
            | {
                "waiting_for": str(block.request_id) if is_waiting(block) else None,
                "said": said_body(actor, said) if said else None,
            }
        )


class BlockAllocationsView(OrderApiView):
    """``/blocks/{ref}/allocations``: what each account got, round by round; send how it is to be divided."""

    scopes = {"GET": POST_TRADE_READ, "POST": ALLOCATE_WRITE}
    parameters = {"GET": ("after",), "POST": ()}

    @extend_schema(
        operation_id="allocations_list",
        parameters=[
            OpenApiParameter(
                "after", {"type": "integer", "minimum": 0, "maximum": 10**15}, description="next of the page before"
            )
        ],
        responses={200: AllocationsAnswer},
    )
    def get(self, request: Request, ref: str) -> Response:
        principal, after = self.principal(), read_after(request.query_params)
        block = get_block(principal, ref)
        rows = visible_allocations(principal).filter(block=block, number__gt=after).select_related("account")
        found = list(rows.order_by("number")[: PAGE + 1])
        page = found[:PAGE]
        return Response(
            {
                "allocations": [allocation_body(line) for line in page],
                "next": page[-1].number if page else after,
                "more": len(found) > PAGE,
            }
        )

    @extend_schema(
        operation_id="allocations_book",
        request=BookBodySerializer,
        parameters=[KEY],
        responses={200: BookAnswer, 202: BookAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        body = self.body(BookBodySerializer)
        return self.once(body, lambda: self._book(ref, body))

    def _book(self, ref: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        done = book_allocation(
            actor=self.principal(),
            at=utc_now(),
            idempotency_key=self.key(),
            block_ref=ref,
            method=body["method"],
            scheme=body["scheme"],
            lines=body["lines"],
            parameters=body["parameters"],
            reason=body["reason"],
            preview_hash=body["preview"] or None,
        )
        return 200 if done.outcome == BOOKED else 202, booked_body(done)


def said_body(actor: Principal, said: Wanted) -> dict[str, Any]:
    """What was said beforehand; lines of accounts that the key's owner may not see are a number."""
    lines, hidden = seen_lines(actor, said.lines)
    return {**said.to_json(), "lines": lines, "hidden_lines": hidden}


class BlockPreviewView(OrderApiView):
    """``/blocks/{ref}/preview``: what it would be divided like now. Nothing is kept, so it needs no key."""

    scopes = {"POST": ALLOCATE_WRITE}

    @extend_schema(
        operation_id="blocks_preview", request=PreviewBodySerializer, responses={200: AllocationPreviewAnswer}
    )
    def post(self, request: Request, ref: str) -> HttpResponse:
        with no_collecting():  # all that is made for it is gone again once it is told
            body = self.body(PreviewBodySerializer)
            told = preview_json(
                preview_allocation(
                    actor=self.principal(),
                    at=utc_now(),
                    block_ref=ref,
                    method=body["method"],
                    scheme=body["scheme"],
                    lines=body["lines"],
                    parameters=body["parameters"],
                )
            )
        return HttpResponse(told, content_type="application/json")


class BlockReleaseView(OrderApiView):
    """``/blocks/{ref}/release``: a parked share of it out of suspense, once nothing speaks against it."""

    scopes = {"POST": ALLOCATE_WRITE}

    @extend_schema(
        operation_id="allocations_release",
        request=ReleaseLineBodySerializer,
        parameters=[KEY],
        responses={200: AllocationAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        body = self.body(ReleaseLineBodySerializer)
        return self.once(body, lambda: (200, self._release(ref, body["line"])))

    def _release(self, ref: str, line: str) -> dict[str, Any]:
        actor = self.principal()
        block = get_block(actor, ref)
        return allocation_body(release_parked(actor=actor, at=utc_now(), allocation_ref=line, block_ref=block.ref))


def read_filter(query: Mapping[str, str]) -> dict[str, Any]:
    """What a list of blocks is narrowed to. Raises Invalid PARAMETERS_INVALID with a sentence a parameter."""
    faults: dict[str, list[str]] = {}
    given = {"trade_date": read_day(query, "day", faults), "state": read_word(query, "state", STATES, faults)}
    wanted = {name: value for name, value in given.items() if value}
    if faults:
        raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
    return wanted


def read_after(query: Mapping[str, str]) -> int:
    """The number a page begins behind. Raises Invalid PARAMETERS_INVALID."""
    text = query.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Invalid("PARAMETERS_INVALID", UNREADABLE, {"after": ["A whole number from 0 to 999999999999999."]})
    return int(text)


def block_body(block: Block) -> dict[str, Any]:
    """A block as programs read it; money signed as its account sees it."""
    return {
        "ref": block.ref, "kind": block.kind, "state": block.state, "desk": block.desk.code, "account": block.account.code,
        "symbol": block.listing.symbol, "side": block.side, "qty": plain(block.qty), "avg_px": plain(block.avg_px),
        "cash": plain(block.cash), "currency": block.currency, "trade_date": block.trade_date.isoformat(),
        "settlement_date": block.settlement_date.isoformat(), "round": block.round, "method": block.method or None,
        "scheme": block.scheme or None, "allocated_qty": plain(block.allocated_qty),
        "booked_at": utc_text(block.booked_at) if block.booked_at else None, "version": block.version,
    }  # fmt: skip


def allocation_body(line: Allocation) -> dict[str, Any]:
    """What one account got in one round."""
    return {
        "ref": line.ref, "round": line.round, "account": line.account.code, "side": line.side, "qty": plain(line.qty),
        "avg_px": plain(line.avg_px), "gross": plain(line.gross), "charges": line.charges, "fees": plain(line.fees),
        "net": plain(line.net), "rounding": line.is_rounding, "state": line.state, "reason": line.reason or None,
        "trade_date": line.trade_date.isoformat(), "settlement_date": line.settlement_date.isoformat(),
        "compensates": str(line.compensates_id) if line.compensates_id else None,
        "booked_at": utc_text(line.booked_at), "ended_at": utc_text(line.ended_at) if line.ended_at else None,
    }  # fmt: skip


def booked_body(done: BookedAllocation) -> dict[str, Any]:
    """What came of a booking, or what waits."""
    return {
        "block": done.block_ref, "outcome": done.outcome, "round": done.round, "lines": done.lines, "parked": done.parked,
        "rounding": plain(done.rounding), "error": plain(done.error),
        "authorisation_id": str(done.authorisation_id) if done.authorisation_id else None,
        "whys": [{"code": why.code.value, "sentence": why.sentence} for why in done.whys],
    }  # fmt: skip
