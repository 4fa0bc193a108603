"""A counterparty's file: the example as documented, and every way a line or a header can be wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from allocations.domain.confirmation_file import COLUMNS, MOST_LINES, NEEDED, read_file
from kernel.post_trade import TransType

AT = datetime(2026, 11, 20, 17, tzinfo=UTC)
FORMATS = Path(__file__).resolve().parents[3] / "docs/formats"
GOOD = {
    "their_ref": "K-1", "account": "C1-0", "isin": "GB00BH4HKS39", "side": "sell", "trade_date": "2026-11-20", "currency": "GBP",
    "qty": "600", "avg_px": "72.45",
}  # fmt: skip


def lines(*rows: dict[str, str]) -> str:
    names = list(rows[0])
    return "\n".join([",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]) + "\n"


def test_the_documented_example_is_read_as_documented() -> None:
    messages, faults = read_file((FORMATS / "examples/confirmations.csv").read_text(), counterparty="B1", at=AT)
    assert not faults
    assert [(line, one.ref, one.trans_type, one.ref_of, one.allocation_ref) for line, one in messages] == [
        (2, "K-77120", TransType.NEW, "", "A-1000"), (3, "K-77121", TransType.NEW, "", ""),
        (4, "K-77122", TransType.REPLACE, "K-77121", ""),
    ]  # fmt: skip
    first = messages[0][1]
    assert (first.side, first.trade_date, first.accounts[0].net, first.counterparty) == (
        "1",
        date(2026, 11, 20),
        Decimal("434.70"),
        "B1",
    )
    words = (FORMATS / "confirmations.md").read_text()
    assert all(f"`{name}`" in words for name in COLUMNS)


def test_what_may_be_left_out_may_be_left_out() -> None:
    ((line, message),), faults = read_file("\ufeff" + lines(GOOD), counterparty="B1", at=AT)
    assert (line, faults, message.side, message.transact_at, message.accounts[0].gross) == (2, (), "2", AT, None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        *(({name: ""}, f"{name} is empty.") for name in NEEDED),
        ({"side": "LONG"}, "side is none of BUY, SELL: 'LONG'."),
        ({"qty": "0"}, "qty must be above zero."),
        ({"qty": "-1"}, "qty is not a plain number: '-1'."),
        ({"qty": "1e3"}, "qty is not a plain number: '1e3'."),
        ({"avg_px": "NaN"}, "avg_px is not a plain number: 'NaN'."),
        ({"net": "٣"}, "net is not a plain number: '٣'."),
        ({"trade_date": "20/11/2026"}, "trade_date is no date: '20/11/2026'."),
        ({"action": "amend"}, "action is none of new, replace, cancel: 'amend'."),
        ({"action": "cancel"}, "ref_of is what a replace or cancel is about, and nothing else has one."),
        ({"ref_of": "K-0"}, "ref_of is what a replace or cancel is about, and nothing else has one."),
        ({"said_at": "2026-11-20T16:00:00"}, "said_at has no zone."),
        ({"said_at": "noon"}, "said_at is no time: 'noon'."),
        ({"account": "x" * 65}, "account is not a name of at most 64 printable characters."),
    ],
)
def test_a_faulty_line_is_told_and_the_others_are_taken(change: dict[str, str], says: str) -> None:
    bad = GOOD | change
    messages, faults = read_file(
        lines(bad, bad | GOOD | dict.fromkeys(change.keys() - GOOD.keys(), "")), counterparty="B1", at=AT
    )
    assert [(fault.line, fault.sentence) for fault in faults] == [(2, says)]
    assert [line for line, _ in messages] == [3]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "The header lacks"),
        (lines(GOOD).replace("avg_px", "price"), 1, "The header lacks avg_px."),
        (lines(GOOD | {"note": "x"}), 1, "The header has columns nobody knows"),
        (lines(GOOD).replace("K-1", '"K-1'), 1, "Not CSV"),
        (lines(*[GOOD] * (MOST_LINES + 1)), 0, "The file has more than 20000 lines."),
    ],
)  # fmt: skip
def test_a_faulty_file_is_not_taken(text: str, line: int, says: str) -> None:
    messages, (fault,) = read_file(text, counterparty="B1", at=AT)
    assert (messages, fault.line) == ([], line)
    assert fault.sentence.startswith(says)


def test_a_line_of_another_width_is_a_fault() -> None:
    messages, faults = read_file(
        lines(GOOD) + "K-2,too,few\n" + lines(GOOD).splitlines()[1] + ",more\n", counterparty="B1", at=AT
    )
    assert [line for line, _ in messages] == [2]
    assert [fault.line for fault in faults] == [3, 4]
