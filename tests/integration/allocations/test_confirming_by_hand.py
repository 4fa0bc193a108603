"""What people do with confirmations: affirm, reject, say again, pair by hand, take in a file; and what each is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from allocations.models import Confirmation, CounterpartyRecord
from allocations.services._acting import Acted
from allocations.services.affirm_confirmation import affirm_confirmation
from allocations.services.pair_by_hand import pair_by_hand
from allocations.services.receive_records import receive_records
from allocations.services.reject_confirmation import reject_confirmation
from allocations.services.resend_confirmation import resend_confirmation
from authorisation.domain.principal import Principal
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError
from kernel.ids import new_id
from kernel.post_trade import AckStatus, MessageKind, TransType
from tests.factories import AT, make_desk, make_principal
from tests.factories.confirming import (
    ConfirmingWorld,
    agree,
    allow,
    anomalies,
    confirming_world,
    their_ack,
    their_confirmation,
)

pytestmark = pytest.mark.django_db
EXAMPLE = Path(__file__).resolve().parents[3] / "docs/formats/examples/confirmations.csv"


def worker(world: ConfirmingWorld, name: str = "ops", *, right: str = "work_post_trade") -> Principal:
    return make_principal(
        name, role=name, rights=(right,), desks=(world.desk.desk,), groups=(world.desk.group,), persona="operations"
    )


def pk(ref: str) -> Any:
    return Confirmation.objects.get(ref=ref).id


def affirm(actor: Principal, *refs: str, key: str = "k", **values: Any) -> Acted:
    ids = [pk(ref) for ref in refs]
    return affirm_confirmation(actor=actor, at=AT, idempotency_key=key, route="test", confirmation_ids=ids, **values)


def refused(code: str, call: Any) -> None:
    """Refused under this code, and nothing moved."""
    before = list(Confirmation.objects.order_by("id").values()), Event.objects.count()
    with pytest.raises(OmsError) as told:
        call()
    assert told.value.code == code
    assert (list(Confirmation.objects.order_by("id").values()), Event.objects.count()) == before


def test_a_person_affirms_what_matched_once_under_a_key_and_nothing_else() -> None:
    world = confirming_world((600, 300, 100))
    world.hear(
        their_confirmation(world, 0), their_confirmation(world, 1, net=None, fees=world.said[0].accounts[1].gross)
    )
    ops, stranger = worker(world), make_principal("other", role="other", rights=("work_post_trade",))
    refused("RIGHT_MISSING", lambda: affirm(world.desk.dealer, "C-1000-1"))
    refused("CONFIRMATION_UNKNOWN", lambda: affirm(stranger, "C-1000-1"))
    refused("CONFIRMATION_DIFFERS", lambda: affirm(ops, "C-1000-1", "C-1001-1"))  # all or none
    refused("CONFIRMATION_STATE", lambda: affirm(ops, "C-1002-1"))
    refused("CONFIRMATIONS_INVALID", lambda: affirm(ops))

    done = affirm(ops, "C-1000-1")
    assert (done.sentence, done.replayed) == ("C-1000-1 affirmed.", False)
    assert affirm(ops, "C-1000-1").replayed
    row = Confirmation.objects.get(ref="C-1000-1")
    assert (row.state, row.affirmed_by, row.affirmed_at) == ("affirmed", ops.actor, AT)
    said = world.said[-1]
    assert (said.kind, said.ref_of, said.ack_status) == (MessageKind.CONFIRMATION_ACK, "K-0", AckStatus.AFFIRMED)
    refused("CONFIRMATION_STATE", lambda: affirm(ops, "C-1000-1", key="again"))
    with pytest.raises(Conflict):
        affirm(ops, "C-1001-1")  # the key was used for something else


def test_a_broker_affirms_nothing_and_the_telephone_needs_a_reason() -> None:
    agree(role="broker")
    world = confirming_world()
    ops = worker(world)
    refused("BROKER_AFFIRMS_NOT", lambda: affirm(ops, "C-1000-1"))
    agree(channel="none")
    other = confirming_world(desk=world.desk, number=2)
    assert other.states()["C-2000-1"] == "waiting"
    refused("REASON_INVALID", lambda: affirm(ops, "C-2000-1"))
    affirm(ops, "C-2000-1", reason="Read over the telephone with J. Doe")
    assert other.states()["C-2000-1"] == "affirmed"
    assert len(world.said) == 3  # what block 1 said; by telephone nothing travels


def test_a_rejection_is_told_and_their_next_word_is_matched() -> None:
    world = confirming_world()
    ops = worker(world)

    def reject(reason: str = "The price is wrong", key: str = "k") -> Acted:
        return reject_confirmation(
            actor=ops, at=AT, idempotency_key=key, route="test", confirmation_id=pk("C-1000-1"), reason=reason
        )

    refused("NOTHING_TO_REJECT", reject)
    refused("REASON_INVALID", lambda: reject(" "))
    world.hear(their_confirmation(world, 0, avg_px=world.said[0].qty))
    reject()
    said = world.said[-1]
    assert (said.kind, said.ref_of, said.ack_status, said.text) == (
        MessageKind.CONFIRMATION_ACK, "K-0", AckStatus.REJECTED, "The price is wrong",
    )  # fmt: skip
    assert Confirmation.objects.get(ref="C-1000-1").reason == "We rejected it: The price is wrong"
    refused("NOTHING_TO_REJECT", lambda: reject(key="again"))
    world.hear(their_confirmation(world, 1))  # another word of theirs does not bring the rejected one back
    assert world.states()["C-1000-1"] == "rejected"
    world.hear(their_confirmation(world, 0, ref="K-0b"))
    assert world.states() == {"C-1000-1": "matched", "C-1001-1": "matched"}
    assert [kind for kind, word in anomalies() if word == "cleared"] == [
        "CONFIRMATION_MISMATCH",
        "CONFIRMATION_REJECTED",
    ]


@pytest.mark.parametrize("role", ["buy_side", "broker"])
def test_what_they_rejected_is_said_again_as_the_next_version(role: str) -> None:
    agree(role=role)
    world = confirming_world()
    ops = worker(world)
    sent = len(world.said)

    def resend(*refs: str) -> Acted:
        ids = [pk(ref) for ref in refs]
        return resend_confirmation(
            actor=ops, at=AT, idempotency_key="k", route="test", confirmation_ids=ids, reason="Account set up"
        )

    refused("CONFIRMATION_STATE", lambda: resend("C-1000-1"))
    if role == "buy_side":
        world.hear(their_ack(MessageKind.ALLOCATION_ACK, world.said[0].ref, AckStatus.REJECTED, "unknown account"))
    else:
        world.hear(their_ack(MessageKind.CONFIRMATION_ACK, "C-1000-1", AckStatus.REJECTED, "unknown account"))
        world.hear(their_ack(MessageKind.CONFIRMATION_ACK, "C-1001-1", AckStatus.REJECTED, "unknown account"))
    resend("C-1000-1", "C-1001-1")
    assert world.states() == {"C-1000-1": "canceled", "C-1000-2": "sent", "C-1001-1": "canceled", "C-1001-2": "sent"}
    again = [(one.kind.value, one.trans_type, one.ref, one.ref_of) for one in world.said[sent:]]
    if role == "buy_side":
        assert again == [("allocation_instruction", TransType.NEW, "B-1-1-1000.2", "")]
    else:
        assert again == [
            ("confirmation", TransType.REPLACE, "C-1000-2", "C-1000-1"), ("confirmation", TransType.REPLACE, "C-1001-2", "C-1001-1"),
        ]  # fmt: skip
    assert Confirmation.objects.get(ref="C-1000-2").replaces_id == pk("C-1000-1")


@pytest.mark.parametrize("role", ["buy_side", "broker"])
@pytest.mark.parametrize("refused_by", ["session", "counterparty"])
def test_a_block_that_did_not_pass_is_theirs_to_see_again_and_a_confirmation_that_never_came_replaces_nothing(
    role: str, refused_by: str
) -> None:
    """The whole block (J or AS) comes back, or is said no to; of the broker's two confirmations the first never arrived."""
    agree(role=role)
    world = confirming_world()
    block, *confirmed = world.said
    answer = MessageKind.ALLOCATION_REPORT_ACK if role == "broker" else MessageKind.ALLOCATION_ACK
    if refused_by == "session":
        world.come_back(block, block, text="tag 30000 (BusinessRejectReason (380) 3)")  # told twice is told once
        reason = "It came back: tag 30000 (BusinessRejectReason (380) 3)."
    else:
        world.hear(replace(their_ack(answer, block.ref, AckStatus.REJECTED, "no"), ref=f"{block.ref}:rejected"))
        reason = "They rejected it: no."
    if confirmed:
        world.come_back(confirmed[0])
    assert set(Confirmation.objects.values_list("state", "reason")) == {("rejected", reason)}
    assert anomalies() == [("CONFIRMATION_REJECTED", "raised")]
    ids, sent = [pk("C-1000-1"), pk("C-1001-1")], len(world.said)
    resend_confirmation(
        actor=worker(world), at=AT, idempotency_key="k", route="test", confirmation_ids=ids, reason="Mended"
    )
    assert world.states() == {"C-1000-1": "canceled", "C-1000-2": "sent", "C-1001-1": "canceled", "C-1001-2": "sent"}
    assert anomalies()[-1] == ("CONFIRMATION_REJECTED", "cleared")
    again = [(one.kind.value, one.trans_type.value, one.ref, one.ref_of) for one in world.said[sent:]]
    if role == "buy_side":
        assert again == [("allocation_instruction", "new", "B-1-1-1000.2", "")]
    else:
        assert again == [
            ("allocation_report", "new", "B-1-1-1000.2", ""), ("confirmation", "new", "C-1000-2", ""),
            ("confirmation", "replace", "C-1001-2", "C-1001-1"),
        ]  # fmt: skip
    assert set(Confirmation.objects.filter(state="sent").values_list("sent_in", flat=True)) == {"B-1-1-1000.2"}


def test_an_affirmation_or_a_cancel_that_came_back_is_somebodys_matter() -> None:
    world = confirming_world()
    world.hear(their_confirmation(world, 0), their_confirmation(world, 1))
    affirm(worker(world), "C-1000-1")
    (affirmed,) = [one for one in world.said if one.kind is MessageKind.CONFIRMATION_ACK]
    world.come_back(affirmed)
    (told,) = Event.objects.filter(kind="AnomalyRaised", payload__kind="CONFIRMATION_DISPUTED")
    assert (
        "C-1000-1 is affirmed, and T1 now says something else. Our affirmation did not reach them."
        in told.payload["sentence"]
    )
    cancel = replace(world.said[0], ref=f"{world.said[0].ref}-X", ref_of=world.said[0].ref, trans_type=TransType.CANCEL)
    world.come_back(cancel)
    (told,) = Event.objects.filter(kind="AnomalyRaised", payload__kind="CONFIRMATION_UNDONE")
    assert told.payload["sentence"].startswith("T1 does not cancel B-1-1-1000.1-X. It came back: ")
    assert world.states() == {"C-1000-1": "affirmed", "C-1001-1": "matched"}


def test_a_person_pairs_and_what_differs_shows_then() -> None:
    world = confirming_world()
    ops = worker(world)
    world.hear(their_confirmation(world, 0, ref="K-9", named=False, account="THEIR-NAME"))
    record = CounterpartyRecord.objects.get()

    def pair(ref: str = "C-1000-1", *, which: Any = record.id, key: str = "k") -> Acted:
        return pair_by_hand(
            actor=ops, at=AT, idempotency_key=key, route="test", record_id=which, confirmation_id=pk(ref),
            reason="THEIR-NAME is our C1-0",
        )  # fmt: skip

    refused("RECORD_UNKNOWN", lambda: pair(which=new_id()))
    pair()
    record.refresh_from_db()
    assert (record.state, record.by_hand, record.why) == (
        "paired",
        True,
        f"{ops.username} paired it: THEIR-NAME is our C1-0",
    )
    row = Confirmation.objects.get(ref="C-1000-1")
    assert (row.state, row.differences) == ("mismatched", [["account", "C1-0", "THEIR-NAME", "", ""]])
    world.hear(their_confirmation(world, 1))  # looked at again, and still paired by hand
    record.refresh_from_db()
    assert (record.state, record.confirmation_id) == ("paired", row.id)
    world.hear(their_confirmation(world, 0, ref="K-10", named=False, account="STRANGER"))
    other = CounterpartyRecord.objects.get(their_ref="K-10")
    refused("CONFIRMATION_TAKEN", lambda: pair(which=other.id, key="l"))
    agree(counterparty="T2")
    foreign = confirming_world(desk=world.desk, number=2, session_group="T2")
    assert foreign.made.block.session_group == "T2"
    refused("COUNTERPARTY_DIFFERS", lambda: pair("C-2000-1", which=other.id, key="m"))


def test_a_file_says_what_messages_say_and_twice_is_once() -> None:
    agree(channel="file")
    allow("*", auto_affirm=True)
    world = confirming_world()
    ops = worker(world)

    def take(content: bytes = EXAMPLE.read_bytes(), party: str = "T1", actor: Principal = ops) -> Any:
        return receive_records(
            actor=actor, at=AT + timedelta(hours=1), counterparty=party, name="k.csv", content=content
        )

    with pytest.raises(NotPermitted):
        take(actor=world.desk.dealer)
    for content, party in ((b"\xff", "T1"), (b"x", " "), (b"x" * (8 * 1024 * 1024 + 1), "T1")):
        with pytest.raises(Invalid):
            take(content, party)
    done = take()
    assert (done.new, done.known, done.faults) == (3, 0, ())
    assert world.states() == {"C-1000-1": "affirmed", "C-1001-1": "affirmed"}  # the second by the line that replaces
    assert world.said == []  # no message travels
    assert (take().new, take().known) == (0, 3)
    faulty = take(EXAMPLE.read_bytes().replace(b"600,72.45", b"600,dear").replace(b"K-77122", b"K-9"))
    assert (faulty.new, [fault.line for fault in faulty.faults]) == (2, [2])
    told = Event.objects.filter(kind="ConfirmationFileReceived").order_by("id")
    assert [(row.payload["new"], row.payload["known"], row.payload["faulty"]) for row in told] == [
        (3, 0, 0), (0, 3, 0), (0, 3, 0), (2, 0, 1),
    ]  # fmt: skip


def test_nobody_moves_what_he_does_not_see() -> None:
    world = confirming_world()
    other = make_desk("EQ2", symbol="BARC.L")
    stranger = make_principal(
        "far", role="far", rights=("work_post_trade",), desks=(other.desk,), groups=(other.group,)
    )
    half = make_principal(
        "half", role="half", rights=("work_post_trade",), desks=(world.desk.desk,), groups=(other.group,)
    )
    world.hear(replace(their_confirmation(world, 0)))
    for actor in (stranger, half):
        with pytest.raises(NotFound):
            affirm(actor, "C-1000-1")
