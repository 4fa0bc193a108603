"""Whoever keeps the newest line of each trade has exactly the allocations there are, whatever was booked, undone or said twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from allocations.domain.feed import CANCEL, CORRECTION, NEW, Entry, Step, Verb, live, next_entries

ACCOUNTS = ("A", "B", "C")


@dataclass
class Book:
    """One block's allocations round by round, and the steps that its events are."""

    steps: list[Step] = field(default_factory=list)
    active: dict[str, tuple[UUID, int, bool]] = field(default_factory=dict)
    numbers: int = 0

    def allocate(self, shares: dict[str, tuple[int, bool]]) -> None:
        """Reverse what there is and book ``shares`` (account -> units, parked) in one transaction."""
        before, self.active = self.active, {}
        for account, (ended, number, _) in before.items():
            self.steps.append(Step(Verb.ENDED, ended, number, UUID(int=0), replaced=account in shares))
        for account, (units, parked) in shares.items():
            self.numbers += 1
            made = UUID(int=self.numbers)
            record = {"account": account, "qty": units, "state": "parked" if parked else "booked"}
            place = before[account][0] if account in before else None
            self.steps.append(Step(Verb.BOOKED, made, self.numbers, UUID(int=0), place, record=record))
            self.active[account] = (made, units, parked)

    def release(self) -> None:
        """What was parked moves to its account."""
        for account, (made, units, parked) in self.active.items():
            if parked:
                record = {"account": account, "qty": units, "state": "booked"}
                self.steps.append(Step(Verb.BOOKED, made, made.int, UUID(int=0), record=record))
                self.active[account] = (made, units, False)


SHARES = st.dictionaries(st.sampled_from(ACCOUNTS), st.tuples(st.integers(1, 9), st.booleans()), max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    rounds=st.lists(st.one_of(SHARES, st.just("release")), max_size=7),
    cuts=st.lists(st.integers(1, 4), max_size=20),
    twice=st.booleans(),
)
def test_a_reader_has_what_there_is(rounds: list[object], cuts: list[int], twice: bool) -> None:
    book = Book()
    for one in rounds:
        book.release() if one == "release" else book.allocate(one)  # type: ignore[arg-type]
    told: list[Entry] = []
    at = 0
    while at < len(book.steps):
        size = cuts[at % len(cuts)] if cuts else 3
        for _ in range(2 if twice else 1):
            told += next_entries(book.steps[at : at + size], told)
        at += size

    kept = {
        entry.payload["account"]: (entry.allocation_id, entry.payload["qty"], entry.payload["state"] == "parked")
        for entry in live(told).values()
    }
    assert kept == book.active
    assert len({(entry.trade_ref, entry.version) for entry in told}) == len(told)
    for ref in {entry.trade_ref for entry in told}:
        lines = [entry for entry in told if entry.trade_ref == ref]
        assert [entry.version for entry in lines] == list(range(1, len(lines) + 1))
        assert lines[0].what == NEW
        assert CANCEL not in [entry.what for entry in lines][:-1]
    before = list(told)
    assert next_entries(book.steps, told) == []
    assert told == before


def test_another_round_corrects_the_trade_under_its_name() -> None:
    book = Book()
    book.allocate({"A": (5, False), "B": (4, False)})
    book.allocate({"A": (9, False)})

    told = next_entries(book.steps, [])

    assert [(one.what, one.trade_ref, one.version, one.payload["qty"]) for one in told] == [
        (NEW, "T-1", 1, 5), (NEW, "T-2", 1, 4), (CANCEL, "T-2", 2, 4), (CORRECTION, "T-1", 2, 9),
    ]  # fmt: skip
    assert told[3].payload["replaces_version"] == 1


def test_a_name_that_was_canceled_never_comes_back() -> None:
    book = Book()
    for shares in ({"A": (5, False)}, {}, {"A": (5, False)}):
        book.allocate(shares)

    assert [(one.what, one.trade_ref) for one in next_entries(book.steps, [])] == [
        (NEW, "T-1"),
        (CANCEL, "T-1"),
        (NEW, "T-2"),
    ]
