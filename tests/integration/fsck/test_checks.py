"""Every check is silent on a used database and finds the one corruption planted for it, and no check cries wolf."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings

from operations.fsck.check import Outcome
from operations.fsck.prove import failing, prove
from operations.fsck.registry import BY_CODE, CHECKS
from operations.fsck.snapshot import Snapshot, snapshot_of_transaction
from orders.models import Order
from tests.factories import AT
from tests.integration.fsck.corruption import Corruption
from tests.integration.fsck.corruptions import CORRUPTIONS
from tests.integration.fsck.corruptions_actions import ACTIONS
from tests.integration.fsck.corruptions_allocations import ALLOCATIONS
from tests.integration.fsck.corruptions_blocks import BLOCKS
from tests.integration.fsck.corruptions_breaks import BREAKS
from tests.integration.fsck.corruptions_confirmations import CONFIRMATIONS
from tests.integration.fsck.corruptions_notes import NOTES
from tests.integration.fsck.corruptions_post_trade_wire import POST_TRADE_WIRE
from tests.integration.fsck.corruptions_reviews import REVIEWS
from tests.integration.fsck.corruptions_settlement import SETTLEMENT
from tests.integration.fsck.corruptions_webhooks import WEBHOOKS
from tests.integration.fsck.keeping import database_kept
from tests.integration.fsck.world import make_used_database, write_truth

pytestmark = pytest.mark.django_db
NOW = AT + timedelta(seconds=60)


@pytest.fixture(scope="module")
def truth(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One used database for the module: every test looks at it in a transaction of its own and changes nothing."""
    files = tmp_path_factory.mktemp("files")
    sealing = override_settings(SEAL_KEY_FILE=str(files / "seal.pem"), ANCHOR_DIRS=[str(files / "anchors")])
    with django_db_blocker.unblock(), database_kept(), sealing:
        make_used_database()
        yield write_truth(tmp_path_factory.mktemp("simulator"))


@contextmanager
def corrupted(truth: Path, sql: str) -> Iterator[Snapshot]:
    """The used database as it would be after ``sql``, carried out by a superuser with the guards off; undone afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        snapshot = snapshot_of_transaction(at=NOW, truth=truth)
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in filter(str.strip, sql.split(";")) if "$$" not in sql else [sql]:
            cursor.execute(statement)
            assert cursor.rowcount != 0, f"{statement} changed nothing"
        yield snapshot
        transaction.set_rollback(True)


def shown(outcomes: tuple[Outcome, ...]) -> dict[str, tuple[str, ...]]:
    return {outcome.check.code: outcome.examples for outcome in failing(outcomes)}


def test_a_used_database_holds(truth: Path) -> None:
    outcomes = prove(snapshot_of_transaction(at=NOW, truth=truth), CHECKS)

    assert shown(outcomes) == {}
    assert len(outcomes) == len(CHECKS) >= 25
    assert Order.objects.count() > 20


@pytest.mark.parametrize(
    "corruption",
    [
        *CORRUPTIONS,
        *ACTIONS,
        *ALLOCATIONS,
        *BLOCKS,
        *BREAKS,
        *NOTES,
        *CONFIRMATIONS,
        *REVIEWS,
        *SETTLEMENT,
        *WEBHOOKS,
        *POST_TRADE_WIRE,
    ],
    ids=lambda c: f"{c.code}: {c.name}",
)
def test_a_planted_corruption_is_found_by_its_check(truth: Path, corruption: Corruption) -> None:
    with corrupted(truth, corruption.sql) as snapshot:
        found = shown(prove(snapshot, CHECKS))

    assert corruption.code in found
    assert found.keys() - {corruption.code} == set(corruption.related) & found.keys() == set(corruption.related)
    assert all(found[corruption.code])


def test_every_check_has_a_planted_corruption() -> None:
    assert {
        corruption.code
        for corruption in (
            *CORRUPTIONS,
            *ACTIONS,
            *ALLOCATIONS,
            *BLOCKS,
            *BREAKS,
            *NOTES,
            *CONFIRMATIONS,
            *REVIEWS,
            *SETTLEMENT,
            *WEBHOOKS,
            *POST_TRADE_WIRE,
        )
    } == set(BY_CODE)


def test_every_check_says_what_holds_and_what_to_do() -> None:
    assert len(BY_CODE) == len(CHECKS)
    for check in CHECKS:
        assert bool(check.sql) != (check.look is not None), check.code
        assert check.invariant in {f"I{number}" for number in range(1, 11)}, check.code
        assert check.sentence.endswith("."), check.code
        assert check.remedy.endswith("."), check.code
    assert {check.invariant for check in CHECKS} == {f"I{number}" for number in range(1, 11)}
