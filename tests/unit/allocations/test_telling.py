"""What an event tells of allocations is read back as it was, in parts of a thousand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from allocations.domain.telling import LINES_A_PART, BlockTold, LineTold, direct_parts, parts, told
from journal.domain.chain import payload_bytes
from kernel.canonical import canonical_json
from kernel.ids import new_id

BLOCK = BlockTold(
    new_id(), 7, "block", 2, new_id(), 1, new_id(), new_id(), "1", "GBP", 100, "A", "SIM", date(2026, 11, 26),
    date(2026, 11, 30), "pro_rata", "CORE",
)  # fmt: skip
LINE = LineTold(
    new_id(), 70, new_id(), new_id(), "1", Decimal("400"), Decimal("71.123456789012"), Decimal("-284.49"), Decimal("1.42"),
    Decimal("-285.91"), BLOCK.trade_date, BLOCK.settlement_date, (("tax", "uk_sdrt", 1, "1.42"),),
)  # fmt: skip
PARKED = LINE._replace(state="parked", reason="The account is frozen.", charges=())
UNDONE = LINE._replace(side="2", compensates=new_id(), trade_date=date(2026, 12, 1), settlement_date=date(2026, 12, 3))


def stored(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As an event brings them back."""
    return [orjson.loads(payload_bytes(payload)) for payload in payloads]


def test_what_parts_tell_is_read_back() -> None:
    lines = [LINE, PARKED, UNDONE]
    (payload,) = stored(parts(BLOCK, lines, why="busted"))

    assert payload["why"] == "busted"
    assert told(payload) == [(BLOCK, line) for line in lines]


def test_lines_are_written_as_a_verifier_reads_them() -> None:
    """Finished text is hashed as it is: it must be what whoever reads it back writes."""
    odd = PARKED._replace(reason='Müller\'s "limit" \\ of\n£1 — gone', qty=Decimal("0.50"), gross=Decimal("-0.00"))
    for payload in parts(BLOCK, [LINE, PARKED, UNDONE, odd, LINE._replace(is_rounding=True)]):
        text = payload_bytes(payload)
        assert canonical_json(orjson.loads(text)) == text


def test_many_lines_are_told_in_numbered_parts() -> None:
    lines = [LINE] * (LINES_A_PART + 1)
    payloads = stored(parts(BLOCK, lines))

    assert [(p["part"], p["parts"], len(p["lines"])) for p in payloads] == [(1, 2, LINES_A_PART), (2, 2, 1)]
    assert parts(BLOCK, []) == []


def test_direct_trades_carry_their_own_block() -> None:
    other = replace(BLOCK, block_id=new_id(), kind="direct")
    (payload,) = direct_parts([(BLOCK, LINE), (other, PARKED)])

    assert told(payload) == [(BLOCK, LINE), (other, PARKED)]
