"""How events tell an allocation: in parts of a thousand lines, each with the block it is of. Pure.

``AllocationBooked``, ``AllocationReversed``, ``AllocationCompensated`` (stream ``block:<id>``) and ``DirectTradesFormed``
(``allocations:direct``) have this payload; what reads them needs no table. Decimals as text, dates ISO, ids as text.

A line is written as canonical text at once: ten thousand are hashed and stored as they are written here (ADR 0057).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from journal.domain.chain import Canonical
from kernel.numbers import plain
from kernel.texts import id_text

LINES_A_PART = 1000


@dataclass(frozen=True, slots=True)
class BlockTold:
    """What all lines of a block share. ``round`` is that of the lines."""

    block_id: UUID
    number: int
    kind: str
    round: int
    account_id: UUID
    desk_id: int
    listing_id: UUID
    instrument_id: UUID
    side: str
    currency: str
    price_divisor: int
    capacity: str
    session_group: str
    trade_date: date
    settlement_date: date
    method: str = ""
    scheme: str = ""


class LineTold(NamedTuple):
    """One allocation. ``gross`` and ``net`` signed, ``charges`` as [kind, name, version, amount as text].

    ``side``, ``trade_date`` and ``settlement_date`` are those of the block unless the line undoes a settled one
    (``compensates``).
    """

    allocation_id: UUID
    number: int
    account_id: UUID
    booked_account_id: UUID
    side: str
    qty: Decimal
    avg_px: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    trade_date: date
    settlement_date: date
    charges: tuple[tuple[str, str, int, str], ...] = ()
    is_rounding: bool = False
    state: str = "booked"
    reason: str = ""
    compensates: UUID | None = None


def parts(block: BlockTold, lines: Sequence[LineTold], *, why: str = "") -> list[dict[str, Any]]:
    """The payloads of the events that tell ``lines``; none for no lines."""
    slices = [lines[start : start + LINES_A_PART] for start in range(0, len(lines), LINES_A_PART)]
    shared = _block(block) | ({"why": why} if why else {})
    return [
        shared | {"part": place, "parts": len(slices), "lines": Canonical(f"[{','.join(map(_text, chosen))}]")}
        for place, chosen in enumerate(slices, start=1)
    ]


def direct_parts(trades: Sequence[tuple[BlockTold, LineTold]]) -> list[dict[str, Any]]:
    """Trades that went straight to the client's account: each line carries its own block."""
    rows = [orjson.loads(_text(line)) | {"block": _block(block)} for block, line in trades]
    slices = [rows[start : start + LINES_A_PART] for start in range(0, len(rows), LINES_A_PART)]
    return [{"part": place, "parts": len(slices), "lines": chosen} for place, chosen in enumerate(slices, start=1)]


def told(payload: Mapping[str, Any]) -> list[tuple[BlockTold, LineTold]]:
    """The inverse of :func:`parts` and :func:`direct_parts`: every line of one event with its block."""
    shared = _read_block(payload) if "block_id" in payload else None
    return [(shared or _read_block(line["block"]), _read_line(line)) for line in payload["lines"]]


def _block(block: BlockTold) -> dict[str, Any]:
    return {
        "block_id": str(block.block_id),
        "number": block.number,
        "kind": str(block.kind),
        "round": block.round,
        "account_id": str(block.account_id),
        "desk_id": block.desk_id,
        "listing_id": str(block.listing_id),
        "instrument_id": str(block.instrument_id),
        "side": block.side,
        "currency": block.currency,
        "price_divisor": block.price_divisor,
        "capacity": block.capacity,
        "session_group": block.session_group,
        "trade_date": block.trade_date.isoformat(),
        "settlement_date": block.settlement_date.isoformat(),
        "method": block.method,
        "scheme": block.scheme,
    }


def _read_block(body: Mapping[str, Any]) -> BlockTold:
    return BlockTold(
        UUID(body["block_id"]),
        body["number"],
        body["kind"],
        body["round"],
        UUID(body["account_id"]),
        body["desk_id"],
        UUID(body["listing_id"]),
        UUID(body["instrument_id"]),
        body["side"],
        body["currency"],
        body["price_divisor"],
        body["capacity"],
        body["session_group"],
        date.fromisoformat(body["trade_date"]),
        date.fromisoformat(body["settlement_date"]),
        body["method"],
        body["scheme"],
    )


def _text(line: LineTold) -> str:
    """A line as canonical JSON: keys in order, no spaces. Only words of people need to be escaped."""
    account = id_text(line.account_id)
    booked = account if line.booked_account_id is line.account_id else id_text(line.booked_account_id)
    px, charges, money, units, terms = _figures(*line[4:15])
    undoes = f'"compensates":"{line.compensates}",' if line.compensates is not None else ""
    reason = f'"reason":{orjson.dumps(line.reason).decode()},' if line.reason else ""
    return (
        f'{{"account_id":"{account}","allocation_id":"{id_text(line.allocation_id)}",{px}"booked_account_id":"{booked}",'
        f'{charges}{undoes}{money}"number":{line.number},{units}{reason}{terms}'
    )


@lru_cache(maxsize=16_384)
def _figures(
    side: str, qty: Decimal, avg_px: Decimal, gross: Decimal, fees: Decimal, net: Decimal, trade_date: date, settlement_date: date,
    charges: tuple[tuple[str, str, int, str], ...], is_rounding: bool, state: str,
) -> tuple[str, str, str, str, str]:  # fmt: skip
    """What lines of equal shares say alike, between what each says for itself."""
    rounding = "true" if is_rounding else "false"
    return (
        f'"avg_px":"{plain(avg_px)}",',
        f'"charges":{charges_text(charges)},',
        f'"fees":"{plain(fees)}","gross":"{plain(gross)}","is_rounding":{rounding},"net":"{plain(net)}",',
        f'"qty":"{plain(qty)}",',
        f'"settlement_date":"{settlement_date}","side":"{side}","state":"{state}","trade_date":"{trade_date}"}}',
    )


@lru_cache(maxsize=16_384)
def charges_text(charges: tuple[tuple[str, str, int, str], ...]) -> str:
    """Charges as events and rows keep them."""
    return orjson.dumps(charges).decode() if charges else "[]"


def _read_line(body: Mapping[str, Any]) -> LineTold:
    compensates = body.get("compensates")
    return LineTold(
        UUID(body["allocation_id"]),
        body["number"],
        UUID(body["account_id"]),
        UUID(body["booked_account_id"]),
        body["side"],
        Decimal(body["qty"]),
        Decimal(body["avg_px"]),
        Decimal(body["gross"]),
        Decimal(body["fees"]),
        Decimal(body["net"]),
        date.fromisoformat(body["trade_date"]),
        date.fromisoformat(body["settlement_date"]),
        tuple((kind, name, version, amount) for kind, name, version, amount in body["charges"]),
        body["is_rounding"],
        body["state"],
        body.get("reason", ""),
        UUID(compensates) if compensates else None,
    )
