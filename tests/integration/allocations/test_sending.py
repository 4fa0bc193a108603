"""When instructions leave, what a person holds back, and what is sent again: one reference that lives, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from allocations.models import Confirmation, SendingRule, SettlementFile, SettlementInstruction, SettlementStatus
from allocations.services._acting import Acted
from allocations.services.ask_sending_rule import ask_sending_rule
from allocations.services.hold_instruction import hold_instruction
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.on_allocated_settle import handle
from allocations.services.refuse_file import refuse_file
from allocations.services.release_instruction import release_instruction
from allocations.services.send_again import send_again
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.errors import NotFound, NotPermitted, OmsError
from operations.approving import KINDS
from tests.factories import AT, make_desk
from tests.factories.allocations import booked_block, leave_at_once, reversed_block
from tests.factories.confirming import ConfirmingWorld, confirming_world
from tests.integration.allocations.test_settlement import LATER, line, place, raised, say, standing
from tests.integration.allocations.test_standing_instructions import decide, keeper

pytestmark = pytest.mark.django_db
MARK = datetime(2026, 11, 23, 18, tzinfo=AT.tzinfo)


@pytest.fixture(autouse=True)
def _var(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def world() -> ConfirmingWorld:
    """A block of two accounts that is being confirmed; its instructions wait."""
    made = confirming_world()
    for one in made.made.lines:
        place(one.account)
    handle(made.made.events)
    return made


def states() -> list[tuple[str, str]]:
    return list(SettlementInstruction.objects.order_by("ref").values_list("ref", "state"))


def act(service: Callable[..., Acted], who: Principal, ref: str = "S1000-1", *, key: str = "k1", **more: Any) -> Acted:
    asked: dict[str, Any] = {"ref": ref, "reason": "test", "at": AT} | more
    return service(actor=who, idempotency_key=f"{key}-{service.__name__}", route="test", **asked)


def test_it_waits_for_the_affirmation_and_leaves_with_it_or_unaffirmed_at_the_cut_off(world: ConfirmingWorld) -> None:
    assert instruct_settlements(at=AT) == 0
    first = Confirmation.objects.order_by("ref").first()
    assert first is not None
    Confirmation.objects.filter(pk=first.pk).update(state="matched")
    Confirmation.objects.filter(pk=first.pk).update(state="affirmed")
    assert (instruct_settlements(at=AT), instruct_settlements(at=MARK - timedelta(seconds=1))) == (1, 0)
    assert states() == [("S1000-1", "instructed"), ("S1001-1", "waiting")]
    assert raised("SETTLEMENT_UNAFFIRMED") == []
    assert (instruct_settlements(at=MARK), instruct_settlements(at=MARK)) == (1, 0)
    assert raised("SETTLEMENT_UNAFFIRMED") == [
        "1 instructions of B-1 left at their cut-off without the counterparty's affirmation, S1001-1 among them: they may not match."
    ]


def test_without_a_place_it_is_told_while_it_waits_not_when_it_is_to_leave() -> None:
    made = confirming_world()
    handle(made.made.events)
    instruct_settlements(at=AT)
    assert len(raised("SSI_MISSING")) == 2
    place(made.made.lines[0].account)
    assert instruct_settlements(at=AT) == 0
    assert not is_raised(f"ssi:{made.made.lines[0].account_id}:XLON:GBP")
    assert SettlementInstruction.objects.get(ref="S1000-1").reason_code == ""


def test_a_rule_is_two_peoples_word_and_holds_for_what_waits(world: ConfirmingWorld) -> None:
    desk, code = world.desk, world.made.lines[0].account.code
    said = {"account": code, "mic": "XLON", "leaves": "on_booking", "valid_from": "2026-11-20"}
    asked: dict[str, Any] = {"actor": keeper(desk), "at": AT, "route": "test", "reason": "Its custodian wants it early"}
    first = ask_sending_rule(idempotency_key="r1", said=said, **asked)
    assert instruct_settlements(at=AT) == 0
    assert first.authorisation_id is not None
    describe = KINDS["post_trade_rules"].describe
    assert describe is not None
    row = AuthorisationRequest.objects.get(pk=first.authorisation_id)
    assert (row.group_id, row.subject_id) == (desk.group.pk, f"sending:{code}:XLON")
    with pytest.raises(NotPermitted):
        decide(desk, first.authorisation_id, actor=keeper(desk))
    assert decide(desk, first.authorisation_id).outcome == "applied"
    kept = SendingRule.objects.get()
    assert (kept.account, kept.leaves, kept.version, kept.request_id) == (code, "on_booking", 1, row.pk)
    assert instruct_settlements(at=AT) == 1
    assert states() == [("S1000-1", "instructed"), ("S1001-1", "waiting")]
    for change, code in (
        ({"account": "NOBODY"}, "ACCOUNT_UNKNOWN"), ({"leaves": "never"}, "RULE_INVALID"), ({"mic": "LONDON"}, "RULE_INVALID"),
        ({"valid_from": "soon"}, "RULE_INVALID"), ({}, "RULE_UNCHANGED"),
    ):  # fmt: skip
        with pytest.raises(OmsError) as caught:
            ask_sending_rule(idempotency_key=f"r-{code}-{len(change)}-{change}"[:60], said=said | change, **asked)
        assert caught.value.code == code


def test_what_a_person_holds_stays_is_told_at_the_cut_off_and_leaves_once_released(world: ConfirmingWorld) -> None:
    who = keeper(world.desk)
    leave_at_once()
    stranger = keeper(make_desk("EQ9", symbol="BARC.L", last="240"))
    for actor, error in ((stranger, NotFound), (replace(who, rights=frozenset()), NotPermitted)):
        with pytest.raises(error):
            act(hold_instruction, actor)
    assert (act(hold_instruction, who), act(hold_instruction, who).replayed)[1]
    with pytest.raises(OmsError, match="held back by"):
        act(hold_instruction, who, key="k2")
    assert instruct_settlements(at=AT) == 1
    assert states()[0] == ("S1000-1", "waiting")
    assert raised("SETTLEMENT_HELD") == []
    with pytest.raises(IntegrityError), transaction.atomic():
        SettlementInstruction.objects.filter(ref="S1000-1").update(state="instructed")
    for _again in range(2):
        assert instruct_settlements(at=MARK) == 0
    assert raised("SETTLEMENT_HELD") == [
        f"S1000-1: it is held back by {who.username}, and its cut-off was 2026-11-23 18:00 UTC."
    ]
    act(release_instruction, who)
    with pytest.raises(OmsError, match="Nobody holds"):
        act(release_instruction, who, key="k2")
    row = SettlementInstruction.objects.get(ref="S1000-1")
    assert not is_raised(f"settlement_held:{row.id}")
    assert instruct_settlements(at=MARK) == 1
    with pytest.raises(OmsError, match="only what has not left"):
        act(hold_instruction, who, key="k3")
    assert [e.kind for e in Event.objects.filter(payload__ref="S1000-1").order_by("position")] == [
        "SettlementHeld", "SettlementReleased"
    ]  # fmt: skip


def test_what_is_held_and_undone_is_canceled_and_no_longer_told(world: ConfirmingWorld) -> None:
    act(hold_instruction, keeper(world.desk))
    instruct_settlements(at=MARK)
    row = SettlementInstruction.objects.get(ref="S1000-1")
    assert is_raised(f"settlement_held:{row.id}")
    reversed_block(world.made, at=LATER)
    handle(world.made.events)
    assert states() == [("S1000-1", "canceled"), ("S1001-1", "canceled")]
    assert not is_raised(f"settlement_held:{row.id}")
    assert [file.kind for file in SettlementFile.objects.filter(instructions__contains=["S1001-1"]).order_by("kind")].count(
        "sese.020"
    ) == 1  # fmt: skip


def test_a_refused_instruction_is_corrected_and_sent_again_and_one_reference_lives() -> None:
    desk = make_desk()
    made = booked_block(desk, [(desk.account, 1000)])
    standing(desk, desk.account)
    handle(made.events)
    instruct_settlements(at=AT)
    who = keeper(desk)
    with pytest.raises(OmsError, match="only what its custodian refused"):
        act(send_again, who)
    say(line("S1000-1", "rejected", code="SAFE"), at=AT)
    old = SettlementInstruction.objects.get()
    assert is_raised(f"settlement_rejected:{old.id}")
    place(desk.account, version=2, safekeeping_account="SAFE-2")

    act(send_again, who)
    assert act(send_again, who).replayed
    assert states() == [("S1000-1", "canceled"), ("S1000-2", "waiting")]
    new = SettlementInstruction.objects.get(ref="S1000-2")
    assert (new.replaces_id, new.qty, new.amount, new.settlement_date) == (
        old.id,
        old.qty,
        old.amount,
        old.settlement_date,
    )
    assert not is_raised(f"settlement_rejected:{old.id}")
    with pytest.raises(OmsError, match="is canceled"):
        act(send_again, who, key="k2")
    with pytest.raises(IntegrityError), transaction.atomic():
        SettlementInstruction.objects.filter(pk=old.pk).update(state="rejected")

    assert instruct_settlements(at=AT) == 1
    file = SettlementFile.objects.get(kind="sese.023", instructions=["S1000-2"])
    assert "<SctiesSttlmTxId>S1000-1</SctiesSttlmTxId>" in file.content
    assert "SAFE-2" in file.content
    # What is said of the old belongs to the old: words change nothing, units are a contradiction.
    say(line("S1000-1", "matched", at="2026-11-21T09:00:00Z"), line("S1000-1", "settled", "X", "1000", "724.50"))
    say(line("S1000-2", "settled", "Y", "1000", "724.50"))
    assert states() == [("S1000-1", "canceled"), ("S1000-2", "settled")]
    assert raised("SETTLEMENT_CONTRADICTION") == ["S1000-1: 1000 units are said to have settled, and it was canceled."]


def test_what_takes_the_place_of_something_said_to_have_settled_is_held_back() -> None:
    desk = make_desk()
    made = booked_block(desk, [(desk.account, 1000)])
    standing(desk, desk.account)
    handle(made.events)
    instruct_settlements(at=AT)
    say(line("S1000-1", "rejected", code="SAFE"), at=AT)
    act(send_again, keeper(desk))
    say(line("S1000-1", "settled", "X", "1000", "724.50"))
    new = SettlementInstruction.objects.get(ref="S1000-2")
    assert (new.state, new.held_by) == ("waiting", "process:settlement")
    assert instruct_settlements(at=AT) == 0
    act(release_instruction, keeper(desk), ref="S1000-2")
    assert instruct_settlements(at=AT) == 1


def test_a_file_that_was_not_taken_is_sent_again_whole_or_not_at_all() -> None:
    desk = make_desk()
    other = make_desk("EQ9", symbol="BARC.L", last="240")
    made = booked_block(desk, [(desk.account, 600), (other.account, 400)])
    for account in (desk.account, other.account):
        standing(desk, account)
    handle(made.events)
    instruct_settlements(at=AT)
    file = SettlementFile.objects.get(kind="sese.023")
    rights = desk.dealer.grants.keys() | other.dealer.grants.keys()
    who = replace(keeper(desk), grants={one: desk.dealer.granted(one) | other.dealer.granted(one) for one in rights})
    asked: dict[str, Any] = {
        "at": AT,
        "idempotency_key": "f1",
        "route": "test",
        "place": file.place,
        "reason": "Channel was down",
    }
    with pytest.raises(NotFound):  # one of its instructions is of an account that he does not see
        refuse_file(actor=keeper(desk), **asked)
    assert refuse_file(actor=who, **asked).sentence.startswith("2 instructions of")
    assert states() == [
        ("S1000-1", "canceled"), ("S1000-2", "waiting"), ("S1001-1", "canceled"), ("S1001-2", "waiting")
    ]  # fmt: skip
    assert instruct_settlements(at=AT) == 2
    say(line("S1000-2", "matched"), at=AT)
    again = SettlementFile.objects.get(kind="csv", instructions__contains=["S1000-2"])
    with pytest.raises(OmsError, match="it has the file"):
        refuse_file(actor=who, **(asked | {"idempotency_key": "f2", "place": again.place}))
    assert SettlementStatus.objects.filter(reason_code="FILE").count() == 2
