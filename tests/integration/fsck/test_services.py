"""What follows from a finding: what adds risk is blocked, somebody owns it, and both go when it holds again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import CashBalance
from journal.domain.idempotency import lock_number
from journal.models import Event
from journal.notify import dedicated_connection
from kernel.ids import new_id
from oms_project.celery import app
from oms_project.house import steps
from oms_project.house.trading import proven
from operations.fsck.prove import failing, prove
from operations.fsck.readers import prove_together
from operations.fsck.registry import BY_CODE, CHECKS, before_opening
from operations.fsck.snapshot import open_snapshot
from operations.services.check_invariants import check_invariants
from operations.services.finish_proof import finish_proof
from orders.services.capture_order import capture_order
from risk.models import Block
from tests.factories import AT, DeskWorld, make_desk, terms
from tests.factories.books import book_openings
from tests.integration.fsck.world import write_foreign_order

pytestmark = pytest.mark.django_db(transaction=True)
CASH = (BY_CODE["CASH_DIFFERS"], BY_CODE["STOCK_DIFFERS"])


@pytest.fixture
def world() -> DeskWorld:
    world = make_desk()
    book_openings()
    return world


def corrupt(amount: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_cashbalance SET settled = settled + %s", [amount])


def matters() -> list[tuple[str, str]]:
    found = Event.objects.filter(stream="anomaly:fsck:CASH_DIFFERS").order_by("seq")
    return [(event.kind, event.payload["severity"]) for event in found]


def standing() -> list[str]:
    return list(Block.objects.filter(source="fsck", lifted_at__isnull=True).values_list("reason", flat=True))


def capture(world: DeskWorld) -> Any:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="ticket", terms=terms(world), source="api"
    )


def test_a_finding_before_opening_blocks_what_adds_risk_until_it_is_gone(world: DeskWorld) -> None:
    corrupt(1)
    assert [one.check.code for one in failing(check_invariants(at=AT, checks=CASH, gate=True))] == ["CASH_DIFFERS"]
    assert standing() == ["Invariants do not hold: CASH_DIFFERS (1). See ./oms fsck."]
    refused = capture(world)
    assert (refused.outcome, "fsck" in refused.sentence or "Invariants" in refused.sentence) == ("refused", True)
    check_invariants(at=AT, checks=CASH, gate=True)
    assert matters() == [("AnomalyRaised", "critical")]
    assert Block.objects.filter(source="fsck").count() == 1

    corrupt(-1)
    assert failing(check_invariants(at=AT, checks=CASH, gate=True)) == ()
    assert standing() == []
    assert matters() == [("AnomalyRaised", "critical"), ("AnomalyCleared", "low")]
    assert capture(world).outcome == "released"


def test_a_finding_of_the_night_is_told_and_does_not_stop_the_day(world: DeskWorld) -> None:
    corrupt(1)
    check_invariants(at=AT, checks=CASH)

    assert (standing(), len(matters())) == ([], 1)
    assert capture(world).outcome == "released"


def test_the_night_runs_every_check_and_beat_names_tasks_that_exist(world: DeskWorld) -> None:
    app.loader.import_default_modules()
    corrupt(1)
    app.tasks["operations.prove_invariants"]()
    assert matters() == [("AnomalyRaised", "critical")]
    corrupt(-1)
    app.tasks["operations.prove_invariants"]()
    assert matters()[1:] == [("AnomalyCleared", "low")]
    app.tasks["operations.finish_proof"]()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_what_differs_from_a_venue_is_told_and_does_not_stop_the_firm(world: DeskWorld, tmp_path: Path) -> None:
    sides = (BY_CODE["ORDER_ON_ONE_SIDE"],)
    line = write_foreign_order(tmp_path)
    assert [one.found for one in failing(check_invariants(at=AT, checks=sides, truth=tmp_path, gate=True))] == [1]
    assert standing() == []
    assert Event.objects.filter(stream="anomaly:fsck:ORDER_ON_ONE_SIDE", kind="AnomalyRaised").count() == 1
    assert capture(world).outcome == "released"

    line.write_text("{}\n{}\n")  # what cannot be compared at all says nothing of any order
    check_invariants(at=AT, checks=sides, truth=tmp_path, gate=True)
    assert standing() == ["Invariants do not hold: ORDER_ON_ONE_SIDE (1). See ./oms fsck."]


def test_the_switch_warns_of_what_differs_from_a_venue_and_refuses_over_the_rest(
    world: DeskWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_foreign_order(tmp_path)
    assert proven(tmp_path) is True
    warned = capsys.readouterr().out.splitlines()
    assert warned[0] == "Warning, which keeps nothing but the account concerned from trading:"
    assert "ORDER_ON_ONE_SIDE" in warned[1]
    corrupt(1)
    assert proven(tmp_path) is False
    assert "I4  CASH_DIFFERS" in capsys.readouterr().out


def test_a_block_of_somebody_else_is_not_lifted(world: DeskWorld) -> None:
    block = Block.objects.create(id=new_id(), scope="firm", source="drill", reason="x", imposed_by="t", imposed_at=AT)
    check_invariants(at=AT, checks=CASH, gate=True)

    block.refresh_from_db()
    assert block.lifted_at is None


def test_a_snapshot_sees_one_moment(world: DeskWorld) -> None:
    with open_snapshot(at=AT) as snapshot, dedicated_connection("elsewhere") as other:
        assert snapshot.rows("SELECT count(*) FROM accounts_cashbalance") == [(1,)]
        other.execute("UPDATE accounts_cashbalance SET settled = settled + 1")
        assert failing(prove(snapshot, CASH)) == ()
    with open_snapshot(at=AT) as snapshot:
        assert [one.check.code for one in failing(prove(snapshot, CASH))] == ["CASH_DIFFERS"]
    assert CashBalance.objects.get().settled == Decimal(100_001)


def test_readers_beside_each_other_see_the_moment_of_the_snapshot(world: DeskWorld) -> None:
    with open_snapshot(at=AT) as snapshot, dedicated_connection("elsewhere") as other:
        assert snapshot.rows("SELECT count(*) FROM accounts_cashbalance") == [(1,)]
        other.execute("UPDATE accounts_cashbalance SET settled = settled + 1")
        assert failing(prove_together(snapshot, CASH, readers=2)) == ()
    with open_snapshot(at=AT) as snapshot:
        assert [one.check.code for one in failing(prove_together(snapshot, CASH, readers=2))] == ["CASH_DIFFERS"]


def test_readers_share_the_statements_cannot_write_and_use_the_clock_they_are_given(world: DeskWorld) -> None:
    slow = "SELECT pg_backend_pid()::text AS subject, (pg_sleep(0.3), current_setting('oms.fsck_at'))::text AS what"
    writing = "SELECT nextval('journal_event_position_seq') AS subject, 'x' AS what"
    checks = [replace(CASH[0], code=f"SLOW{n}", sql=slow) for n in range(2)] + [replace(CASH[0], code="W", sql=writing)]
    with open_snapshot(at=AT) as snapshot:
        outcomes = prove_together(snapshot, checks, readers=2)
        own = snapshot.connection.info.backend_pid
    pids = {one.examples[0].partition(":")[0] for one in outcomes[:2]}
    assert len(pids) == 2
    assert str(own) not in pids
    assert all(AT.isoformat() in one.examples[0] for one in outcomes[:2])
    assert "ReadOnlySqlTransaction" in outcomes[2].examples[0]


def test_readers_find_what_one_finds_in_the_order_of_the_checks(world: DeskWorld) -> None:
    corrupt(1)
    heard: list[str] = []
    with open_snapshot(at=AT) as snapshot:
        alone = prove(snapshot, CHECKS)
        together = prove_together(snapshot, CHECKS, readers=3, told=lambda one: heard.append(one.check.code))
        nobody = prove_together(snapshot, CHECKS, within_s=0)
        assert prove_together(snapshot, CASH, readers=0)[0].found == 1
    assert [(one.check, one.found, one.examples) for one in together] == [
        (one.check, one.found, one.examples) for one in alone
    ]
    assert [one.check.code for one in failing(together)] == ["CASH_DIFFERS"]
    assert (sorted(heard), nobody) == (sorted(BY_CODE), ())


def test_a_snapshot_cannot_write(world: DeskWorld) -> None:
    with open_snapshot(at=AT) as snapshot, pytest.raises(Exception, match="read-only transaction"):
        snapshot.rows("DELETE FROM risk_limit RETURNING 1")


def test_a_check_that_cannot_be_carried_out_fails_and_costs_no_other(world: DeskWorld) -> None:
    broken = BY_CODE["STOCK_DIFFERS"].__class__(
        "X", "I4", BY_CODE["STOCK_DIFFERS"].level, "x.", "x.", sql="SELECT 'x' AS subject, 1 / 0 AS what"
    )
    with open_snapshot(at=AT) as snapshot:
        outcomes = prove(snapshot, (broken, *CASH))
    assert [(one.found, one.holds) for one in outcomes] == [(1, False), (0, True), (0, True)]
    assert "could not be carried out: DivisionByZero" in outcomes[0].examples[0]


def test_examples_are_few_and_everything_is_counted(world: DeskWorld) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_cashbalance (account_id, currency, settled, pending, reserved) "
            "SELECT account_id, 'X' || n, 1, 0, 0 FROM accounts_cashbalance, generate_series(10, 30) n"
        )
    with open_snapshot(at=AT) as snapshot:
        outcome = prove(snapshot, CASH[:1], examples=3)[0]
    assert (outcome.found, len(outcome.examples)) == (21, 3)
    assert (
        outcome.examples[0]
        == "ACC-EQ1 X10: has 1.00000000 settled and 0.00000000 pending; its bookings add up to 0 and 0"
    )


def test_a_house_too_large_to_wait_for_opens_blocked_and_is_proven_while_it_is_open(world: DeskWorld) -> None:
    slow = replace(BY_CODE["STOCK_DIFFERS"], code="SLOW", sql="SELECT 'x' AS subject, pg_sleep(20)::text AS what")
    outcomes = check_invariants(at=AT, checks=(*CASH, slow), gate=True, within_s=2)
    assert [one.check.code for one in outcomes] == ["CASH_DIFFERS", "STOCK_DIFFERS"]
    assert standing() == ["Invariants are still being proven: 1 checks are left of those that an opening waits for."]
    assert capture(world).outcome == "refused"

    assert finish_proof(at=AT) is True
    assert standing() == []
    assert finish_proof(at=AT) is False
    assert capture(world).outcome == "released"


def test_what_the_finished_proof_finds_is_the_reason_from_then_on(world: DeskWorld) -> None:
    check_invariants(at=AT, checks=CASH, gate=True, within_s=0)
    corrupt(1)
    with dedicated_connection("elsewhere") as other:
        other.execute("SELECT pg_advisory_lock(%s)", [lock_number("operations", "proof")])
        assert finish_proof(at=AT) is False
        other.execute("SELECT pg_advisory_unlock_all()")
    assert finish_proof(at=AT) is True
    assert standing() == ["Invariants do not hold: CASH_DIFFERS (1). See ./oms fsck."]
    assert finish_proof(at=AT) is False


def test_a_start_proves_guards_journal_orders_and_money(world: DeskWorld, tmp_path: Path) -> None:
    assert {check.level for check in before_opening()} == {0, 1, 2, 3}
    assert not [check.code for check in before_opening() if check.reads_all]
    assert len(before_opening()) < len(CHECKS)

    steps.prove_invariants(tmp_path / "findings")
    assert ((tmp_path / "findings").read_text(), standing()) == ("", [])
    corrupt(1)
    steps.prove_invariants(tmp_path / "findings")
    assert (tmp_path / "findings").read_text().startswith("CASH_DIFFERS (1 found): Cash of every account")
    assert len(standing()) == 1
