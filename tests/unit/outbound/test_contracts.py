"""What leaves the house: what is told, what is not, and that a published contract cannot be broken unnoticed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from orders.domain.open_orders import _BORN
from orders.domain.replaying import _TAKES
from outbound.domain.contracts import BY_KIND, BY_TOLD, CONTRACTS, FAMILY_VERSIONS, WITHHELD_OF_ORDERS, journal_kinds
from outbound.domain.fields import ContractBroken, Field, Shape
from outbound.domain.positions import position_text, read_position
from outbound.domain.schemas import breaking_changes, family_schema, file_name

PUBLISHED = Path(__file__).parent / "published"


def test_every_event_of_an_order_is_told_or_withheld_with_a_reason() -> None:
    known = set(_TAKES) | set(_BORN)
    told = {kind for kind, contract in BY_TOLD.items() if contract.subject == "order"}
    assert known - told - set(WITHHELD_OF_ORDERS) == set()
    assert told & set(WITHHELD_OF_ORDERS) == set()
    assert all(WITHHELD_OF_ORDERS.values())


def test_a_journal_kind_is_told_by_one_contract_alone() -> None:
    assert len(BY_TOLD) == sum(len(contract.tells) for contract in CONTRACTS)
    assert len(BY_KIND) == len(CONTRACTS)
    assert {contract.family for contract in CONTRACTS} == set(FAMILY_VERSIONS)


def test_no_contract_reads_a_text_that_somebody_wrote() -> None:
    free = {"sentence", "reason", "text", "checks", "answers", "acknowledgements", "pressed_by", "owner_id", "maker_id"}
    read = {step for contract in CONTRACTS for field in contract.fields for step in field.at.split(".")}
    assert read & free == set()


@pytest.mark.parametrize("family", sorted(FAMILY_VERSIONS))
def test_published_contracts_still_hold(family: str) -> None:
    published = json.loads((PUBLISHED / file_name(family)).read_text())
    assert breaking_changes(published, family_schema(family)) == []


def _captured() -> dict[str, Any]:
    return family_schema("order")


def _data(schema: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = schema["oneOf"][0]["properties"]["data"]
    return data


def _drop_kind(schema: dict[str, Any]) -> None:
    del schema["oneOf"][0]


def _drop_field(schema: dict[str, Any]) -> None:
    del _data(schema)["properties"]["symbol"]
    _data(schema)["required"].remove("symbol")


def _make_optional(schema: dict[str, Any]) -> None:
    _data(schema)["required"].remove("symbol")


def _make_nullable(schema: dict[str, Any]) -> None:
    _data(schema)["properties"]["symbol"]["type"] = ["string", "null"]


def _make_number(schema: dict[str, Any]) -> None:
    _data(schema)["properties"]["price"]["type"] = "number"


def _add_word(schema: dict[str, Any]) -> None:
    _data(schema)["properties"]["side"]["enum"].append("lend")


def _open_list(schema: dict[str, Any]) -> None:
    del _data(schema)["properties"]["side"]["enum"]


def _other_form(schema: dict[str, Any]) -> None:
    _data(schema)["properties"]["request_id"]["format"] = "uri"


def _other_version(schema: dict[str, Any]) -> None:
    schema["oneOf"][0]["properties"]["version"]["const"] = 2


def _drop_from_envelope(schema: dict[str, Any]) -> None:
    schema["oneOf"][0]["required"].remove("id")


@pytest.mark.parametrize(
    "change",
    [
        _drop_kind, _drop_field, _make_optional, _make_nullable, _make_number, _add_word, _open_list, _other_form,
        _other_version, _drop_from_envelope,
    ],
)  # fmt: skip
def test_a_breaking_change_is_found(change: Any) -> None:
    now = copy.deepcopy(_captured())
    change(now)
    assert len(breaking_changes(_captured(), now)) == 1


def test_what_is_added_breaks_nobody() -> None:
    now = copy.deepcopy(_captured())
    _data(now)["properties"]["tax_lot"] = {"type": "string"}
    _data(now)["required"].append("tax_lot")
    now["oneOf"].append({"title": "order.more", "type": "object", "properties": {}, "required": []})
    assert breaking_changes(_captured(), now) == []


@pytest.mark.parametrize(
    ("shape", "kept", "told"),
    [
        (Shape.FIGURE, "1E+3", "1000"),
        (Shape.FIGURE, "72.50", "72.5"),
        (Shape.ID, "01A21643-5df2-784d-83af-da69f7bc1f09", "01a21643-5df2-784d-83af-da69f7bc1f09"),
        (Shape.TIME, "2026-11-20T10:30:00+01:00", "2026-11-20T09:30:00.000000Z"),
        (Shape.DAY, "2026-11-20", "2026-11-20"),
    ],
)
def test_values_are_told_in_one_form(shape: Shape, kept: str, told: str) -> None:
    assert Field("x", shape, "a.b", "").read({"a": {"b": kept}}) == told


@pytest.mark.parametrize(
    ("shape", "kept"),
    [(Shape.FIGURE, "many"), (Shape.ID, "V1"), (Shape.DAY, "today"), (Shape.TIME, "noon"), (Shape.TEXT, None)],
)
def test_what_breaks_its_promise_is_not_told(shape: Shape, kept: str | None) -> None:
    with pytest.raises(ContractBroken):
        Field("x", shape, "a", "").read({"a": kept})


def test_a_word_that_is_not_on_the_list_is_not_told() -> None:
    with pytest.raises(ContractBroken):
        Field("x", Shape.WORD, "a", "", words={"1": "buy"}).read({"a": "9"})


def test_nothing_to_say_is_null() -> None:
    nullable = Field("x", Shape.TEXT, "a.b", "", nullable=True)
    assert [nullable.read(one) for one in ({}, {"a": None}, {"a": {"b": ""}}, {"a": {"b": None}})] == [None] * 4


@pytest.mark.parametrize("position", [0, 1, 255, 10**15])
def test_positions_come_back(position: int) -> None:
    assert read_position(position_text(position)) == position


@pytest.mark.parametrize("text", ["", "v1.", "v1.-1", "v1.zz", "v2.1", "1", "v1.1 ", "v1." + "f" * 16, "v1.F", "now"])
def test_other_tokens_are_no_positions(text: str) -> None:
    assert read_position(text) is None


def test_kinds_select_what_the_journal_calls_them() -> None:
    assert journal_kinds(frozenset({"request.held"})) == ("OrderHeld", "ReplaceHeld")
    assert len(journal_kinds(None)) == len(BY_TOLD)
