"""The blotter's views on the server: the same rows as on the screen, at the marks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from kernel.errors import Invalid
from operations.domain.desk_views import in_view, passes, typed
from operations.domain.rows import COLUMNS, millis

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
BASE: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {
    "ref": "O-1", "at": millis(NOW), "updated": millis(NOW), "qty": "45000", "price": "72.5", "cum": "0", "leaves": "45000",
    "avg": None, "stop": None, "open": 1, "owner_id": 7, "filled": 0, "state": "working", "family": "working",
}  # fmt: skip


def row(**changes: Any) -> list[Any]:
    return list((BASE | changes).values())


def shown_in(view: str, **changes: Any) -> bool:
    return in_view(row(**changes), view, me=7, now=NOW)


def test_views() -> None:
    assert shown_in("all", open=0)
    assert shown_in("mine")
    assert not shown_in("mine", owner_id=8)
    assert not shown_in("mine", open=0)
    assert (shown_in("filled", filled=1), shown_in("filled")) == (True, False)
    with pytest.raises(Invalid):
        shown_in("yours")


@pytest.mark.parametrize(
    ("changes", "abnormal"),
    [
        ({}, False),
        ({"attention": "LATE"}, True),
        ({"family": "unknown"}, True),
        ({"family": "refused", "updated": millis(NOW) - 3_599_999}, True),
        ({"family": "refused", "updated": millis(NOW) - 3_600_000}, False),
        ({"state": "sent", "updated": millis(NOW) - 30_000}, False),
        ({"state": "sent", "updated": millis(NOW) - 30_001}, True),
        ({"state": "sent", "updated": millis(NOW) - 30_001, "open": 0}, False),
    ],
)
def test_what_needs_attention(changes: dict[str, Any], abnormal: bool) -> None:
    assert shown_in("attention", **changes) is abnormal


def test_filters_compare_with_the_text_on_the_screen() -> None:
    assert passes(row(), {"qty": "45,0", "ref": "o-"})
    assert not passes(row(), {"qty": "450"})
    assert passes(row(), {"price": "72.50"})
    assert passes(row(), {"stop": "—"})
    for name in ("at", "owner_id", "nothing"):
        with pytest.raises(Invalid):
            passes(row(), {name: "x"})


def test_cells_are_typed() -> None:
    cells = typed(row())
    assert Decimal(45000) in cells
    assert NOW in cells
    assert None in cells
