"""A feed that gates: the firm waits for its file, then only accounts whose rows were left out, then nobody."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from authorisation.domain.principal import process_principal
from reconciliation.models import Feed, Intake
from reconciliation.services.receive_file import receive_file
from reconciliation.services.set_gates import set_gates
from reconciliation.services.take_in import take_in
from risk.models import Block
from tests.factories.accounts import funded_account
from tests.factories.feeds import FRIDAY, THURSDAY, make_calendar, make_feed

pytestmark = pytest.mark.django_db
ACTOR = process_principal("test")


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    make_calendar()
    feed = make_feed()
    Feed.objects.filter(pk=feed.pk).update(gates=True, partial="partly", watched_from=THURSDAY)
    for name in ("services.receive_file", "selectors.feeds"):
        monkeypatch.setattr(f"reconciliation.{name}.business_days", lambda feed, around: [THURSDAY, FRIDAY])
    return Feed.objects.get(pk=feed.pk)


def standing() -> list[tuple[str, str]]:
    return list(Block.objects.filter(lifted_at__isnull=True).order_by("scope").values_list("scope", "source"))


def bring(feed: Feed, at: Any, *rows: str) -> Intake:
    lines = [f"#STATEMENT kind=cash date={THURSDAY} cut={at.isoformat()}", "account,currency,amount,as_of"]
    lines += [*(f"{row},{THURSDAY}" for row in rows), f"#TRAILER rows={len(rows)}"]
    text = "\n".join(lines) + "\n"
    received = receive_file(
        actor=ACTOR, at=at, name="cash.csv", content=BytesIO(text.encode()), kind="cash", feed=feed
    )  # fmt: skip
    assert received.file_id is not None
    return take_in(actor=ACTOR, at=at, file_id=received.file_id)


def test_the_firm_waits_then_the_account_then_nobody(feed: Feed) -> None:
    from datetime import UTC, datetime, time

    at = datetime.combine(FRIDAY, time(12), UTC)
    account = funded_account("AC1")
    funded_account("AC2")

    assert (set_gates(at=at), standing()) == (1, [("firm", f"start_of_day:{feed.code}")])
    assert set_gates(at=at) == 0

    partly = bring(feed, at, "AC1,GBP,1.001", "AC2,GBP,7")
    assert (partly.state, partly.refused) == ("applied", 1)
    set_gates(at=at)
    assert standing() == [("account", f"start_of_day:{feed.code}")]
    assert Block.objects.get(lifted_at__isnull=True).scope_id == str(account.id)

    whole = bring(feed, at + timedelta(minutes=5), "AC1,GBP,1", "AC2,GBP,7")
    assert whole.state == "applied"
    assert (set_gates(at=at + timedelta(minutes=5)), standing()) == (1, [])


def test_a_feed_that_nobody_waits_for_gates_nothing(feed: Feed) -> None:
    from datetime import UTC, datetime, time

    at = datetime.combine(FRIDAY, time(12), UTC)
    set_gates(at=at)
    Feed.objects.update(watched_from=None)

    assert (set_gates(at=at), standing()) == (1, [])
