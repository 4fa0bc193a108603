"""The custodian of the demo: what it says of our files is read by our own readers, seeded, and lived through to the end."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from allocations.custodian.course import (
    DEMO,
    REAL,
    Fate,
    Instructed,
    course,
    fate_of,
    own_course,
    transformed_itself,
)
from allocations.custodian.desk import Custodian
from allocations.custodian.papers import write_words
from allocations.formats.status_records import StatusLine
from allocations.formats.status_xml import read_statuses
from allocations.models import SettlementInstruction
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.on_allocated_settle import handle
from allocations.services.receive_statuses import receive_statuses
from allocations.services.send_again import send_again
from allocations.services.write_settlement_files import outgoing, write_settlement_files
from kernel.clock import utc_now
from tests.factories import AT, make_account, make_desk
from tests.factories.allocations import booked_block
from tests.integration.allocations.test_settlement import OPS, raised, standing
from tests.integration.allocations.test_standing_instructions import keeper

D = Decimal
SEED, SMALL = 1, 17
"""With the second, twenty-five instructions meet every fate."""


def asked(number: int, **changes: Any) -> Instructed:
    values: dict[str, Any] = {
        "ref": f"S{number}-1", "delivery": "RECE", "isin": "GB00BH4HKS39", "qty": D(101), "amount": D("1000.01"),
        "currency": "GBP", "settlement_date": date(2026, 11, 24), "safekeeping_account": "SAFE",
    }  # fmt: skip
    return Instructed(**(values | changes))


def test_courses_are_seeded_end_whole_and_are_read_by_our_own_reader() -> None:
    many = [asked(number) for number in range(600)]
    fates = Counter(fate_of(one, SEED) for one in many)
    assert set(fates) == set(Fate)
    assert fates[Fate.SETTLES] > 360
    assert 30 < fates[Fate.FAILS_FIRST] < 90
    assert [fate_of(one, 2) for one in many] != [fate_of(one, SEED) for one in many]
    for one in many:
        words = course(one, received_at=AT, seed=SEED, pace=REAL)
        assert words == sorted(course(one, received_at=AT, seed=SEED, pace=REAL), key=lambda word: word.at)
        units, money = (sum((getattr(word, name) or D(0) for word in words), D(0)) for name in ("qty", "amount"))
        whole = fate_of(one, SEED) not in (Fate.REFUSED, Fate.SILENT)
        assert (units, money) == ((one.qty, one.amount) if whole else (D(0), D(0)))
        settled = [word.at for word in words if word.qty]
        assert not settled or settled[0] >= datetime(2026, 11, 24, 7, tzinfo=AT.tzinfo)
        lines = list(read_statuses(write_words(words, at=AT))) if words else []
        assert [(line.status, line.qty, line.their_ref, line.reason_code) for line in lines if isinstance(line, StatusLine)] == [
            (word.status, word.qty, word.their_ref, word.reason_code) for word in words
        ]  # fmt: skip
    assert fate_of(asked(1, previous="S1-0"), SEED) is Fate.SETTLES


def test_some_of_what_is_instructed_in_new_shares_it_had_transformed_by_itself(tmp_path: Path) -> None:
    pairs = [
        (asked(number), asked(number, ref=f"S{number}-2", qty=D(202), previous=f"S{number}-1")) for number in range(40)
    ]
    own = [(old, new) for old, new in pairs if transformed_itself(old, new, SEED)]
    assert 4 <= len(own) <= 16
    assert not transformed_itself(pairs[0][0], replace(pairs[0][0], ref="S0-2"), SEED)  # sent again in the same shares
    under_old, under_new = own_course(*own[0], received_at=AT, seed=SEED, pace=DEMO)
    assert [(word.instructed.ref, word.status, word.qty, word.amount) for word in under_old] == [
        (own[0][0].ref, "settled", D(202), D("1000.01"))
    ]
    assert [word.status for word in under_new] == ["accepted"]
    custodian = Custodian(tmp_path, tmp_path, SEED, DEMO)
    for old, new in pairs:
        for one in (old, new):
            custodian._instruct(one, AT)
            custodian._asked[one.ref] = one
    settled = {ref for ref, words in custodian._words.items() for word in words if word.qty == D(202)}
    assert settled == {old.ref if (old, new) in own else new.ref for old, new in pairs}


def test_a_file_that_cannot_be_read_holds_up_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out, back = tmp_path / "out", tmp_path / "back"
    (out / "HARBGB2L").mkdir(parents=True)
    (out / "HARBGB2L" / "1.sese.023.xml").write_text("<Xchg><Pyld>")
    example = Path(__file__).resolve().parents[3] / "docs" / "formats" / "examples" / "settlement_sese_023.xml"
    (out / "HARBGB2L" / "2.sese.023.xml").write_bytes(example.read_bytes())
    custodian = Custodian(out, back, SEED, DEMO)
    assert custodian.step(at=utc_now()) == 0
    assert custodian.step(at=utc_now() + timedelta(minutes=5)) > 0
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "custodian passes over 1.sese.023.xml"
    ]


@pytest.mark.django_db
def test_a_day_with_the_custodian_ends_settled_but_for_what_it_refuses_or_is_silent_about(
    tmp_path: Path, settings: Any
) -> None:
    settings.VAR_DIR = tmp_path
    answers = tmp_path / "incoming" / "settlement"
    desk = make_desk()
    accounts = [make_account(f"N{n}", group=desk.group) for n in range(25)]
    for account in accounts:
        standing(desk, account)
    handle(booked_block(desk, [(account, 11) for account in accounts]).events)
    custodian = Custodian(outgoing(), answers, SMALL, DEMO)

    def live(*minutes: int) -> None:
        for minute in minutes:
            at = AT + timedelta(minutes=minute)
            instruct_settlements(at=at)
            if write_settlement_files(at=at):
                for path in outgoing().rglob("*.xml"):
                    if path.stat().st_mtime > time.time() - 600:  # written now: it came at the moment of the test
                        os.utime(path, (at.timestamp(), at.timestamp()))
            custodian.step(at=at)
            for answer in sorted((answers / "CUSTGB2L").glob("*.xml")):
                receive_statuses(actor=OPS, at=at, content=answer.read_bytes(), source="CUSTGB2L")
                answer.unlink()

    live(0, 1, 5, 9, 16)
    rows = {row.ref: row.state for row in SettlementInstruction.objects.all()}
    fates = {ref: fate_of(asked(0, ref=ref), SMALL) for ref in rows}
    due = {Fate.REFUSED: "rejected", Fate.SILENT: "instructed"}
    assert rows == {ref: due.get(fate, "settled") for ref, fate in fates.items()}
    assert set(fates.values()) == set(Fate)
    assert raised("SETTLEMENT_CONTRADICTION") == raised("SETTLEMENT_AMOUNT_DIFFERS") == []
    # Another process of it goes on where this one was: nothing is said again.
    custodian = Custodian(outgoing(), answers, SMALL, DEMO)
    assert custodian.step(at=AT + timedelta(minutes=17)) == 0
    refused = next(ref for ref, fate in fates.items() if fate is Fate.REFUSED)
    send_again(actor=keeper(desk), at=AT, idempotency_key="a", route="test", ref=refused, reason="Corrected")
    live(20, 26)
    assert SettlementInstruction.objects.get(replaces__ref=refused).state == "settled"
