"""Plants: exactly what was asked for, deterministic, each found where it says it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from kernel.errors import Invalid
from reconciliation.domain.making.plants import PlantKind, plant
from reconciliation.domain.making.registry import ALL, BY_NAME, wishes_of
from reconciliation.domain.making.sheet import Book, Dice, Record
from reconciliation.domain.records import RECONCILED, names_of
from reconciliation.models import Break
from reconciliation.services.make_files import rebalanced
from tests.unit.reconciliation.sheets import books, cash

NO_BREAK = {
    *("executions.after_cut", "executions.other_zone"),
    *(f"{kind}.{name}" for kind in ("orders", "open_orders") for name in ("old_name", "unnamed")),
}
WHOLE = {name for name in BY_NAME if name.endswith(".truncated")}
IDS = [kind.full_name for kind in ALL]


def lines(book: Book) -> Counter[tuple[tuple[str, str], ...]]:
    return Counter(tuple(sorted(record.values.items())) for record in book.records)


@pytest.mark.parametrize("kind", ALL, ids=IDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_plant_changes_its_own_file_and_nothing_else(kind: PlantKind, seed: int) -> None:
    before = books()
    after, planted = plant(before, [(kind, 1)], seed=seed)
    (one,) = planted
    changed = {old.name for old, new in zip(before, after, strict=True) if lines(old) != lines(new)}
    assert changed == {kind.kind.value} == {one.file}
    old, new = (next(book for book in some if book.name == one.file) for some in (before, after))
    gone, come = lines(old) - lines(new), lines(new) - lines(old)
    assert set(gone) <= {tuple(sorted(record.values.items())) for record in one.before}
    assert set(come) <= {tuple(sorted(record.values.items())) for record in one.after}
    assert one.change.says
    assert {name for record in one.after for name in record.values} <= set(names_of(kind.kind))


@pytest.mark.parametrize("kind", ALL, ids=IDS)
def test_what_is_expected_is_a_category_and_names_what_it_is_about(kind: PlantKind) -> None:
    _, (one,) = plant(books(), [(kind, 1)], seed=3)
    assert bool(one.change.expected) == (kind.full_name not in NO_BREAK | WHOLE)
    assert one.change.suspect == (kind.full_name in WHOLE)
    touched = {value for record in (*one.before, *one.after) for value in record.values.values()}
    for expected in one.change.expected:
        assert expected.category in Break.Category.values
        assert expected.ids
        assert set(expected.ids.values()) <= touched


def test_there_are_plants_of_every_category_and_kind() -> None:
    found = {(kind.kind, e.category) for kind in ALL for e in plant(books(), [(kind, 1)], seed=1)[1][0].change.expected}
    assert {category for _, category in found} == set(Break.Category.values)
    assert {kind for kind, _ in found} == set(RECONCILED)
    assert len(BY_NAME) == len(ALL) >= 45


def test_the_same_seed_plants_the_same_and_another_seed_elsewhere() -> None:
    wishes = [(BY_NAME["executions.quantity"], 3), (BY_NAME["orders.status"], 2)]
    assert plant(books(), wishes, seed=7) == plant(books(), wishes, seed=7)
    places = {tuple(one.before[0].key for one in plant(books(), wishes, seed=seed)[1]) for seed in range(6)}
    assert len(places) > 3


def test_a_plant_stands_where_it_stood_whatever_else_is_planted() -> None:
    alone = plant(books(), [(BY_NAME["executions.price"], 1)], seed=5)[1]
    beside = plant(books(), [(BY_NAME["orders.price"], 4), (BY_NAME["executions.price"], 1)], seed=5)[1]
    assert alone[0] == beside[-1]


def test_two_plants_never_touch_one_record() -> None:
    wishes = wishes_of("several:1,quantity:4,price:4,fee:4,missing_external:3,bust_unknown_to_them:1", RECONCILED)
    _, planted = plant(books(), wishes, seed=2)
    keys = [record.key for one in planted for record in one.before]
    assert len(keys) == len(set(keys))
    assert sum(len(one.change.expected) for one in planted) == 3 + 4 + 4 + 4 + 3 + 1


def test_more_than_the_books_have_room_for_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        plant(books(), [(BY_NAME["executions.bust_unknown_to_them"], 2)], seed=1)
    assert refused.value.code == "TOO_FEW_RECORDS"
    assert "2 are asked for, the books of the day have room for 1" in refused.value.sentence


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("quantity:2", [("executions.quantity", 2)]),
        ("status", [("orders.status", 1)]),
        (
            "positions.quantity:1, quantity:2 ,executions.quantity:3",
            [("executions.quantity", 5), ("positions.quantity", 1)],
        ),
        ("duplicate_suspect:1,timing:1", [("executions.duplicate_line", 1), ("executions.wrong_day", 1)]),
        ("cash.amount:0", [("cash.amount", 0)]),
    ],
)
def test_breaks_as_they_are_asked_for(text: str, found: list[tuple[str, int]]) -> None:
    assert [(kind.full_name, count) for kind, count in wishes_of(text, RECONCILED)] == found


@pytest.mark.parametrize(
    "text", ["nonsense:1", "quantity:x", "quantity:-1", "quantity:1.5", "quantity:1000000", "cash.status:1"]
)
def test_breaks_that_nobody_can_plant(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        wishes_of(text, RECONCILED)
    assert refused.value.code == "BREAKS_INVALID"


def test_a_bank_adds_up_whatever_was_planted() -> None:
    wishes = wishes_of(
        "cash.amount:2,cash.missing_external:1,cash.missing_internal:1,cash.balance:1,cash.crossed:1", RECONCILED
    )
    changed, _ = plant([cash()], wishes, seed=4)
    book = rebalanced(changed[0])
    entries: defaultdict[str, Decimal] = defaultdict(Decimal)
    for record in book.records:
        if record["record"] == "entry":
            entries[record["account"]] += record.number("amount")
    balances = [record for record in book.records if record["record"] == "balance"]
    assert [one.number("amount") - one.number("opening") for one in balances] == [
        entries[one["account"]] for one in balances
    ]
    assert lines(book) != lines(cash())


def test_dice_fall_by_names_alone() -> None:
    dice = Dice(1).of("a", 2)
    assert dice.number(10**9, "x") == Dice(1, ("a", "2")).number(10**9, "x") != dice.number(10**9, "y")
    assert sorted(dice.order(["b", "a", "c"])) == ["a", "b", "c"]
    assert Record("k", {"last_qty": "5"}).but(last_qty="6").values == {"last_qty": "6"}


def test_nothing_is_planted_in_what_happened_after_the_cut_of_the_file() -> None:
    """A run misses nothing there, so a plant there could not be found."""
    (book,) = (one for one in books() if one.name == "executions")
    last = {record["transact_time"] for record in book.records}
    cut = datetime.fromisoformat(sorted(last)[2])
    _, planted = plant([replace(book, cut_at=cut)], [(BY_NAME["executions.missing_external"], 1)], seed=5)
    assert all(datetime.fromisoformat(record["transact_time"]) <= cut for one in planted for record in one.before)
    with pytest.raises(Invalid) as refused:
        plant([replace(book, cut_at=cut)], [(BY_NAME["executions.missing_external"], 20)], seed=5)
    assert refused.value.code == "TOO_FEW_RECORDS"
