"""Confirmations from the booked block to the counterparty's word, as buy side and as broker, in any order, twice, and undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allocations.models import Confirmation, CounterpartyRecord
from allocations.services.on_allocated_confirm import confirm_blocks
from allocations.services.on_allocated_confirm import handle as allocated
from journal.models import Event
from kernel.ids import new_id
from kernel.post_trade import AccountLine, AckStatus, MessageKind, TransType
from tests.factories import AT, make_account, make_desk
from tests.factories.allocations import booked_block, direct_trade, reversed_block
from tests.factories.confirming import (
    ConfirmingWorld,
    agree,
    allow,
    anomalies,
    confirming_world,
    known_account,
    listen,
    their_ack,
    their_confirmation,
)

pytestmark = pytest.mark.django_db
K = MessageKind


def test_a_booked_block_is_instructed_once_and_affirmed_by_rule_when_theirs_agrees() -> None:
    allow("*", auto_affirm=True)
    allow("net", "0.05")
    world = confirming_world()
    (sent,) = world.said
    assert (sent.kind, sent.ref, sent.block_ref, sent.qty) == (
        K.ALLOCATION_INSTRUCTION,
        "B-1-1-1000.1",
        "B-1",
        Decimal(1000),
    )
    assert [(line.ref, line.account, line.qty, line.gross) for line in sent.accounts] == [
        ("A-1000", "C1-0", Decimal(600), Decimal("434.7")), ("A-1001", "C1-1", Decimal(400), Decimal("289.8")),
    ]  # fmt: skip
    assert world.states() == {"C-1000-1": "sent", "C-1001-1": "sent"}
    row = Confirmation.objects.get(ref="C-1000-1")
    assert row.affirm_by is not None
    assert (row.sent_in, row.role, row.channel, row.affirm_by.isoformat()) == (
        "B-1-1-1000.1", "buy_side", "fix", "2026-11-23T12:00:00+00:00",
    )  # fmt: skip

    listen(world)  # the same events again
    assert len(world.said) == 1

    world.hear(their_ack(K.ALLOCATION_ACK, sent.ref, AckStatus.ACCEPTED))
    world.hear(their_confirmation(world, 0, net=Decimal("434.75")), their_confirmation(world, 1, net=Decimal("289.86")))
    assert world.states() == {"C-1000-1": "affirmed", "C-1001-1": "mismatched"}
    other = Confirmation.objects.get(ref="C-1001-1")
    assert other.differences == [["net", "289.8", "289.86", "0.06", "0.05"]]
    assert other.reason == "The net amount differs by 0.06 GBP: ours 289.8, theirs 289.86, allowed 0.05."
    (said,) = world.said[1:]
    assert (said.kind, said.ref_of, said.ack_status, said.allocation_ref) == (
        K.CONFIRMATION_ACK, "K-0", AckStatus.AFFIRMED, "A-1000",
    )  # fmt: skip
    assert anomalies() == [("CONFIRMATION_MISMATCH", "raised")]

    fixed = replace(
        their_confirmation(world, 1, ref="K-1b"),
        trans_type=TransType.REPLACE,
        ref_of="K-1",
        transact_at=AT + timedelta(minutes=5),
    )
    world.hear(fixed)
    world.hear(fixed)  # said twice: another wire message of the same name
    assert world.states() == {"C-1000-1": "affirmed", "C-1001-1": "affirmed"}
    assert [one.ref_of for one in world.said[1:]] == ["K-0", "K-1b"]
    assert anomalies() == [("CONFIRMATION_MISMATCH", "raised"), ("CONFIRMATION_MISMATCH", "cleared")]
    kinds = list(
        Event.objects.filter(stream=f"confirmations:{world.made.block.id}")
        .order_by("seq")
        .values_list("kind", flat=True)
    )
    assert kinds == [
        "ConfirmationsMade", "ConfirmationsSent", "ConfirmationsMatched", "ConfirmationsMismatched", "ConfirmationsAffirmed",
        "ConfirmationsMatched", "ConfirmationsAffirmed",
    ]  # fmt: skip


def test_without_a_rule_a_match_waits_for_a_person_and_economics_find_it_without_a_name() -> None:
    world = confirming_world()
    world.hear(their_confirmation(world, 1, named=False))
    assert world.states() == {"C-1000-1": "sent", "C-1001-1": "matched"}
    # Theirs is withdrawn: what was matched no longer is.
    gone = replace(
        their_confirmation(world, 1, ref="K-1c"),
        trans_type=TransType.CANCEL,
        ref_of="K-1",
        transact_at=AT + timedelta(minutes=5),
    )
    world.hear(gone)
    row = Confirmation.objects.get(ref="C-1001-1")
    assert (row.state, row.differences) == ("mismatched", [["trade", "confirmed", "withdrawn by them", "", ""]])


def test_what_pairs_with_nothing_is_said_until_it_does() -> None:
    world = confirming_world((500, 500))
    stranger = their_confirmation(world, 0, ref="K-9", named=False, account="NOBODY")
    world.hear(stranger)
    record = CounterpartyRecord.objects.get()
    assert (record.state, record.why) == (
        "unpaired", "No open confirmation of ours has its account or block, instrument, side, dates, currency and quantity.",
    )  # fmt: skip
    assert anomalies() == [("CONFIRMATION_UNPAIRED", "raised")]
    world.hear(replace(their_confirmation(world, 0, ref="K-9b"), trans_type=TransType.REPLACE, ref_of="K-9"))
    assert world.states()["C-1000-1"] == "matched"
    assert anomalies()[-1] == ("CONFIRMATION_UNPAIRED", "cleared")


def test_a_rejected_instruction_rejects_all_it_carried_and_an_answer_to_nothing_moves_nothing() -> None:
    world = confirming_world()
    world.hear(their_ack(K.ALLOCATION_ACK, "B-9-1-9.1", AckStatus.REJECTED, "unknown"))
    assert set(world.states().values()) == {"sent"}
    world.hear(their_ack(K.ALLOCATION_ACK, world.said[0].ref, AckStatus.REJECTED, "unknown account C1-1"))
    assert set(world.states().values()) == {"rejected"}
    assert Confirmation.objects.order_by("ref")[0].reason == "They rejected it: unknown account C1-1."
    assert anomalies() == [("CONFIRMATION_REJECTED", "raised")]


def test_an_undone_block_cancels_what_left_and_says_what_had_been_affirmed() -> None:
    allow("*", auto_affirm=True)
    world = confirming_world()
    world.hear(their_confirmation(world, 0))
    reversed_block(world.made, at=AT + timedelta(hours=1), why="the exchange busted it")
    listen(world)
    listen(world)
    assert set(world.states().values()) == {"canceled"}
    reasons = list(Confirmation.objects.order_by("ref").values_list("reason", flat=True))
    assert reasons == ["the exchange busted it. It had been affirmed.", "the exchange busted it."]
    canceled = world.said[-1]
    assert (canceled.kind, canceled.trans_type, canceled.ref, canceled.ref_of, len(canceled.accounts)) == (
        K.ALLOCATION_INSTRUCTION, TransType.CANCEL, "B-1-1-1000.1-X", "B-1-1-1000.1", 2,
    )  # fmt: skip
    assert len([one for one in world.said if one.trans_type is TransType.CANCEL]) == 1
    assert ("CONFIRMATION_UNDONE", "raised") in anomalies()
    # What they say of it now names what is canceled: it pairs with nothing, however alike.
    world.hear(their_confirmation(world, 1))
    assert CounterpartyRecord.objects.get(their_ref="K-1").why == "It names A-1001, which is canceled."
    world.hear(their_ack(K.ALLOCATION_ACK, "B-1-1-1000.1-X", AckStatus.REJECTED, "settled already"))
    assert anomalies()[-1] == ("CONFIRMATION_UNDONE", "raised")


def test_one_line_undone_replaces_the_instruction_by_what_stands() -> None:
    world = confirming_world()
    line = world.made.lines[0]
    line.state, line.ended_at, line.ended_event_id = "reversed", AT, line.booked_event_id
    line.save(update_fields=["state", "ended_at", "ended_event_id"])
    line.id, line.number, line.account = (
        new_id(),
        1002,
        make_account("C1-2", group=world.desk.group),
    )  # another gets its share
    line.state, line.round, line.ended_at, line.ended_event_id = "booked", 2, None, None
    line.save(force_insert=True)
    listen(world)
    last, new = world.said[1:]
    assert (new.trans_type, new.ref, [one.ref for one in new.accounts]) == (TransType.NEW, "B-1-2-1002.1", ["A-1002"])
    assert (last.trans_type, last.ref, last.ref_of, [one.ref for one in last.accounts], last.qty) == (
        TransType.REPLACE, "B-1-1-1000.1-R1", "B-1-1-1000.1", ["A-1001"], Decimal(400),
    )  # fmt: skip
    assert Confirmation.objects.get(ref="C-1001-1").sent_in == "B-1-1-1000.1-R1"


def test_what_is_affirmed_and_then_said_otherwise_is_a_dispute() -> None:
    allow("*", auto_affirm=True)
    world = confirming_world((1000,))
    world.hear(their_confirmation(world, 0))
    late = replace(
        their_confirmation(world, 0, ref="K-0b", net=Decimal(700)), trans_type=TransType.REPLACE, ref_of="K-0",
        transact_at=AT + timedelta(minutes=9),
    )  # fmt: skip
    world.hear(late)
    world.hear(late)
    assert world.states() == {"C-1000-1": "affirmed"}
    assert anomalies() == [("CONFIRMATION_DISPUTED", "raised")]


def test_a_report_is_answered_by_how_its_accounts_fared() -> None:
    world = confirming_world()
    asked = world.said[0]
    report = replace(asked, kind=K.ALLOCATION_REPORT, ref="R-1", ref_of=asked.ref, orders=())
    world.hear(report)
    assert (world.said[-1].kind, world.said[-1].ref_of, world.said[-1].ack_status) == (
        K.ALLOCATION_REPORT_ACK, "R-1", AckStatus.ACCEPTED,
    )  # fmt: skip
    assert set(world.states().values()) == {"sent"}  # a report does not confirm
    wrong = replace(report, ref="R-2", accounts=(replace(asked.accounts[0], qty=Decimal(601)), asked.accounts[1]))
    world.hear(replace(wrong, trans_type=TransType.REPLACE, ref_of="R-1", transact_at=AT + timedelta(minutes=3)))
    assert (world.said[-1].ref_of, world.said[-1].ack_status) == ("R-2", AckStatus.REJECTED)
    assert world.states() == {"C-1000-1": "mismatched", "C-1001-1": "sent"}


def test_as_broker_we_report_and_confirm_and_only_theirs_affirms() -> None:
    agree(role="broker")
    allow("*", auto_affirm=True)
    world = confirming_world()
    assert [(one.kind, one.ref) for one in world.said] == [
        (K.ALLOCATION_REPORT, "B-1-1-1000.1"), (K.CONFIRMATION, "C-1000-1"), (K.CONFIRMATION, "C-1001-1"),
    ]  # fmt: skip
    lines = [replace(one, ref=f"X-{one.account}", net=None, gross=None) for one in world.said[0].accounts]
    asked = replace(world.said[0], kind=K.ALLOCATION_INSTRUCTION, ref="J-7", accounts=tuple(lines))
    world.hear(asked)
    assert set(world.states().values()) == {"matched"}  # and not affirmed, whatever the rule says
    assert (world.said[-1].kind, world.said[-1].ref_of, world.said[-1].ack_status) == (
        K.ALLOCATION_ACK, "J-7", AckStatus.ACCEPTED,
    )  # fmt: skip
    world.hear(
        their_ack(K.CONFIRMATION_ACK, "C-1000-1", AckStatus.RECEIVED),
        their_ack(K.CONFIRMATION_ACK, "C-1000-1", AckStatus.AFFIRMED),
        their_ack(K.CONFIRMATION_ACK, "C-1000-1", AckStatus.AFFIRMED),
        their_ack(K.CONFIRMATION_ACK, "C-1001-1", AckStatus.REJECTED, "price"),
    )
    assert world.states() == {"C-1000-1": "affirmed", "C-1001-1": "rejected"}
    assert Confirmation.objects.get(ref="C-1000-1").affirmed_by == "process:confirming"


def test_an_instruction_before_the_booking_waits_and_matches_when_it_is_booked() -> None:
    agree(role="broker")
    first = confirming_world((600, 400))
    asked = replace(
        first.said[0], kind=K.ALLOCATION_INSTRUCTION, ref="J-8", block_ref="B-2",
        accounts=tuple(replace(one, ref="", account=f"C2-{place}") for place, one in enumerate(first.said[0].accounts)),
    )  # fmt: skip
    for place in (0, 1):
        known_account(first.desk, f"C2-{place}")
    first.hear(asked)
    assert first.said[-1].ack_status is AckStatus.RECEIVED
    second = confirming_world((600, 400), desk=first.desk, number=2)
    assert {ref: state for ref, state in second.states().items() if ref.startswith("C-2")} == {
        "C-2000-1": "matched", "C-2001-1": "matched",
    }  # fmt: skip
    decided = [one for one in second.said if one.ref_of == "J-8"]
    assert [(one.kind, one.ack_status) for one in decided] == [
        (K.ALLOCATION_ACK, AckStatus.RECEIVED), (K.ALLOCATION_ACK, AckStatus.ACCEPTED),
    ]  # fmt: skip


def test_an_instruction_that_cannot_be_worked_is_refused_with_its_code_and_counts_no_more() -> None:
    """Each fault alone; then one that differs from what we booked; then one in three fragments, the last of them wrong."""
    agree(role="broker")
    world = confirming_world()
    lines = [replace(one, ref=f"X-{one.account}", net=None, gross=None) for one in world.said[0].accounts]
    asked = replace(world.said[0], kind=K.ALLOCATION_INSTRUCTION, ref="J", accounts=tuple(lines))

    def answer(ref: str, *accounts: AccountLine, **head: Any) -> tuple[str, str, str]:
        world.hear(replace(asked, ref=ref, accounts=accounts, **head))
        said = world.said[-1]
        assert (said.kind, said.ref_of) == (K.ALLOCATION_ACK, ref)
        return said.ack_status.value if said.ack_status else "", said.reject_code, said.text

    unknown = replace(lines[0], account="NOBODY")
    assert answer("J-1", unknown, lines[1]) == ("rejected", "0", "Unknown account NOBODY.")
    less = replace(lines[0], qty=Decimal(599))
    assert answer("J-2", less, lines[1]) == ("rejected", "8", "The accounts add up to 999, the block is 1000.")
    none = replace(lines[0], qty=Decimal(0))
    assert answer("J-3", none, lines[1])[:2] == ("rejected", "8")
    assert answer("J-4")[1:] == ("8", "It names no account.")
    kinds = [kind for kind, word in anomalies() if word == "raised"]
    assert (kinds, set(world.states().values())) == (["INSTRUCTION_REFUSED"] * 4, {"sent"})
    assert answer("J-5", replace(lines[0], qty=Decimal(700)), replace(lines[1], qty=Decimal(300)))[:2] == (
        "received",
        "",
    )  # other shares than ours pair with nothing: they may be of another block
    dear = [replace(one, avg_px=one.avg_px + 1) for one in lines]
    assert answer("J-6", *dear, avg_px=dear[0].avg_px)[:2] == ("rejected", "2")
    assert set(world.states().values()) == {"mismatched"}
    world.hear(replace(asked, ref="J-6X", ref_of="J-6", trans_type=TransType.CANCEL))
    fragments = [(lines[0], "received"), (lines[1], "accepted")]
    assert [answer("J-7", line, total_accounts=2)[0] for line, _ in fragments] == [word for _, word in fragments]
    assert set(world.states().values()) == {"matched"}
    assert answer("J-8", lines[0], total_accounts=3)[0] == "received"
    assert answer("J-8", lines[0], total_accounts=3)[0] == "received"  # said again is not another
    assert answer("J-8", replace(lines[1], account="C-9"), replace(less, ref="X-3"), total_accounts=3)[:2] == (
        "rejected",
        "0",
    )
    assert set(world.states().values()) == {"matched"}


def test_direct_trades_are_confirmed_only_where_that_was_agreed() -> None:
    world = confirming_world()
    direct = direct_trade(world.desk)
    confirm_blocks([direct.block.id], at=AT)
    assert not Confirmation.objects.filter(ref__startswith="C-500000").exists()
    agree(confirms_direct=True, channel="file")
    confirm_blocks([direct.block.id], at=AT)
    assert Confirmation.objects.get(ref="C-500000-1").state == "waiting"
    assert world.said[-1].block_ref == "B-1"  # by file: nothing left


def test_the_order_of_arrival_decides_nothing() -> None:
    allow("*", auto_affirm=True)
    outcomes = []
    desk = make_desk()
    for number, turned in ((1, False), (2, True)):
        world = confirming_world((300, 300, 400), number=number, desk=desk)
        asked = next(one for one in world.said if one.block_ref == f"B-{number}")
        made = [
            replace(
                their_confirmation(world, 0), ref=f"K{number}-{place}", block_ref=asked.block_ref, allocation_ref="", qty=line.qty,
                accounts=(replace(line, ref="", net=line.net if place else Decimal(1)),),
            )
            for place, line in enumerate(asked.accounts)
        ]  # fmt: skip
        for message in reversed(made) if turned else made:
            world.hear(message)
        outcomes.append([state for ref, state in sorted(world.states().items()) if ref.startswith(f"C-{number}")])
    assert outcomes[0] == outcomes[1] == ["mismatched", "affirmed", "affirmed"]


def test_any_order_and_repetition_of_what_they_say_ends_alike() -> None:
    """Of four accounts: confirmed wrongly and replaced rightly; confirmed and canceled; confirmed twice under two names of one
    wire message; confirmed without a name. In many orders, some with everything said twice, as one slice or one by one."""
    desk, outcomes = make_desk(), set()
    drawn = Random(29)
    for number in range(1, 6):
        world = confirming_world((100, 200, 300, 400), number=number, desk=desk)
        asked = next(one for one in world.said if one.block_ref == f"B-{number}")
        plain = [
            replace(
                their_confirmation(world, 0), ref=f"K{number}-{place}", ref_of=asked.ref, block_ref=asked.block_ref, qty=line.qty,
                allocation_ref=line.ref, accounts=(line,),
            )
            for place, line in enumerate(asked.accounts)
        ]  # fmt: skip
        wrong = replace(plain[0], accounts=(replace(plain[0].accounts[0], fees=Decimal(99)),))
        mended = replace(plain[0], ref=f"K{number}-0b", ref_of=wrong.ref, trans_type=TransType.REPLACE)
        gone = replace(plain[1], ref=f"K{number}-1x", ref_of=plain[1].ref, trans_type=TransType.CANCEL)
        unnamed = replace(plain[3], allocation_ref="", accounts=(replace(plain[3].accounts[0], ref=""),))
        said = [wrong, mended, plain[1], gone, plain[2], unnamed]
        if number > 1:
            drawn.shuffle(said)
        if number % 2:
            said += drawn.sample(said, 4)
        for slice_ in [said] if number % 3 == 0 else [[one] for one in said]:
            world.hear(*slice_)
        states = [state for ref, state in sorted(world.states().items()) if ref.startswith(f"C-{number}")]
        records = CounterpartyRecord.objects.filter(their_ref__startswith=f"K{number}-").order_by("their_ref")
        kept = sorted({(one.their_ref.partition("-")[2], one.state) for one in records if one.state != "superseded"})
        outcomes.add((tuple(states), tuple(kept)))
    assert outcomes == {
        (
            ("matched", "mismatched", "matched", "matched"),
            (("0b", "paired"), ("2", "paired"), ("3", "paired")),
        )
    }  # fmt: skip


def test_the_statements_do_not_grow_with_the_accounts() -> None:
    desk, counts = make_desk(), []
    for number, size in ((1, 1), (2, 2), (3, 40)):  # the first fills caches
        accounts = [(make_account(f"S{number}-{place}", group=desk.group), 10) for place in range(size)]
        made = booked_block(desk, accounts, number=number)
        with CaptureQueriesContext(connection) as told:
            allocated(made.events)
        asked = next(one for one in ConfirmingWorld(desk, made).said if one.block_ref == made.block.ref)
        report = replace(asked, kind=K.ALLOCATION_REPORT, ref=f"R-{number}", ref_of=asked.ref)
        with CaptureQueriesContext(connection) as heard:
            ConfirmingWorld(desk, made).hear(report)
        counts.append((len(told), len(heard)))
    assert Confirmation.objects.count() == 43
    assert counts[1] == counts[2]
