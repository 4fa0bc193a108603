"""We are the broker, over a real FIX session with a client: J before the booking, P, AS and AK, AT and AU; what cannot be worked gets its
code; what the client's session refuses (35=3, 35=j) comes back and is said again after a person mended it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from allocations.models import Confirmation
from allocations.services.resend_confirmation import resend_confirmation
from journal.selectors.anomalies import is_raised
from kernel.clock import utc_now
from kernel.post_trade import AccountLine, AckStatus, MessageKind, PostTradeMessage
from tests.factories import make_account, make_principal
from tests.factories.allocations import DAY, SETTLES, booked_block
from tests.factories.confirming import agree
from tests.factories.post_trade import fix44
from tests.fix_venue import Fields, ScriptedVenue
from tests.gateway_house import SESSION, House
from tests.integration.venues.test_post_trade_live import relay
from venues.domain.fix_codec import first_values, parse
from venues.domain.post_trade_reading import read
from venues.inbox import consume_post_trade_all
from venues.models import FixSession, PostTradeIntent

pytestmark = [pytest.mark.fix, pytest.mark.timeout(120), pytest.mark.django_db(transaction=True)]
K = MessageKind


class Client:
    """The client's back office: takes reports, affirms what it is told to, lets its session refuse what it is told to."""

    def __init__(self, venue: ScriptedVenue) -> None:
        self._venue = venue
        self.refuses: dict[str, Fields] = {}
        self.silent = True
        self.heard: list[PostTradeMessage] = []
        venue.answer_post_trade = self.answer

    def answer(self, raw: str) -> list[Fields]:
        """To one message of ours."""
        values, message = first_values(parse(raw)), read(parse(raw), counterparty="T1")
        self.heard.append(message)
        if message.ref in self.refuses:
            (_, msg_type), *fields = self.refuses[message.ref]
            return [[(35, msg_type), (45, values[34]), (372, values[35]), *fields]]
        if self.silent or message.kind not in (K.ALLOCATION_REPORT, K.CONFIRMATION):
            return []
        reports = message.kind is K.ALLOCATION_REPORT
        ack = PostTradeMessage(
            K.ALLOCATION_REPORT_ACK if reports else K.CONFIRMATION_ACK, "", "T1", message.transact_at, message.ref,
            block_ref=message.block_ref if reports else "", trade_date=message.trade_date,
            ack_status=AckStatus.ACCEPTED if reports else AckStatus.AFFIRMED,
        )  # fmt: skip
        return [list(fix44(ack))]

    def instruct(self, ref: str, like: PostTradeMessage, **changes: object) -> None:
        """An allocation of the client's own."""
        at = utc_now()
        self._venue.say(list(fix44(replace(like, ref=ref, block_ref=ref, transact_at=at, **changes))))  # type: ignore[arg-type]

    def told(self, ref: str) -> list[tuple[str, str]]:
        """What we said to an instruction: status and AllocRejCode (88), in order."""
        acks = [one for one in self.heard if one.kind is K.ALLOCATION_ACK and one.ref_of == ref]
        return [(one.ack_status.value if one.ack_status else "", one.reject_code) for one in acks]


def instruction_of(house: House) -> PostTradeMessage:
    """What the client allocates, with names of its own: 600 and 400, at the price of ``booked_block``."""
    listing, px = house.world.listing, Decimal("72.45")
    accounts = tuple(AccountLine(f"X-{n}", f"ACME-{n}", Decimal(qty), px) for n, qty in ((1, 600), (2, 400)))
    return PostTradeMessage(
        K.ALLOCATION_INSTRUCTION, "", "T1", utc_now(), side="1", symbol=listing.symbol, isin=listing.instrument.isin,
        mic=listing.market_id, currency=listing.currency, qty=Decimal(1000), avg_px=px, trade_date=DAY, settlement_date=SETTLES,
        accounts=accounts,
    )  # fmt: skip


def test_as_broker_over_a_live_session(tmp_path: Path) -> None:
    house = House(tmp_path / "ours")
    agree(role="broker")
    venue = ScriptedVenue(tmp_path / "client", port=house.port)
    client = Client(venue)

    def until(condition: Callable[[], bool], what: str) -> None:
        def worked() -> bool:
            consume_post_trade_all()
            relay()
            return condition()

        house.until(worked, what=what)

    def states() -> list[str]:
        return list(Confirmation.objects.exclude(state="canceled").order_by("ref").values_list("state", flat=True))

    try:
        house.start_gateway()
        until(lambda: FixSession.objects.get(name=SESSION).state == FixSession.State.LOGGED_ON, "the logon")
        accounts = [make_account(code, group=house.world.group) for code in ("ACME-1", "ACME-2")]
        asked = instruction_of(house)
        (first, second) = asked.accounts
        client.instruct("J-1", asked)
        client.instruct("J-2", asked, accounts=(replace(first, account="NOBODY"), second))
        client.instruct("J-3", asked, accounts=(replace(first, qty=first.qty - 1), second))
        until(lambda: len(client.told("J-3")) == 1, "three answers")
        assert [client.told(ref) for ref in ("J-1", "J-2", "J-3")] == [
            [("received", "")],
            [("rejected", "0")],
            [("rejected", "8")],
        ]
        report, refs = "B-1-1-1000.1", ("C-1000", "C-1001")
        client.refuses = {report: [(35, "3"), (373, "5"), (371, "64"), (58, "no such day")]}
        made = booked_block(house.world, list(zip(accounts, (600, 400), strict=True)))
        until(lambda: states() == ["rejected", "rejected"], "their session's refusal of the report")
        assert client.told("J-1") == [("received", ""), ("accepted", "")]
        assert PostTradeIntent.objects.get(name=report).state == "returned"
        rows = list(Confirmation.objects.order_by("ref"))
        assert rows[0].reason == "It came back: no such day (SessionRejectReason (373) 5 ValueIsIncorrect)."
        assert is_raised(f"confirmation-rejected:{made.block.id}")
        client.silent, client.refuses = False, {f"{refs[1]}-2": [(35, "j"), (380, "3"), (58, "not twice")]}
        person = make_principal(
            "ops", role="ops", rights=("work_post_trade",), desks=(house.world.desk,), groups=(house.world.group,),
            persona="operations",
        )  # fmt: skip

        def resend(*rows: Confirmation) -> None:
            resend_confirmation(
                actor=person, at=utc_now(), idempotency_key=rows[0].ref, route="test",
                confirmation_ids=[row.id for row in rows], reason="The day is mended",
            )  # fmt: skip

        resend(*rows)
        until(lambda: states() == ["affirmed", "rejected"], "one affirmed, one refused")
        resend(Confirmation.objects.get(ref=f"{refs[1]}-2"))
        until(lambda: states() == ["affirmed", "affirmed"], "both affirmed")
        told = [
            (one.kind, one.ref, one.ref_of) for one in client.heard if one.kind in (K.ALLOCATION_REPORT, K.CONFIRMATION)
        ]
        assert told == [
            (K.ALLOCATION_REPORT, report, ""), (K.CONFIRMATION, f"{refs[0]}-1", ""), (K.CONFIRMATION, f"{refs[1]}-1", ""),
            (K.ALLOCATION_REPORT, f"{report[:-1]}2", ""), (K.CONFIRMATION, f"{refs[0]}-2", f"{refs[0]}-1"),
            (K.CONFIRMATION, f"{refs[1]}-2", f"{refs[1]}-1"), (K.CONFIRMATION, f"{refs[1]}-3", ""),
        ]  # fmt: skip
        assert not is_raised(f"confirmation-rejected:{made.block.id}")
    finally:
        house.stop_gateway()
        venue.stop()
