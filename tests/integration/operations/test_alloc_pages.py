"""The allocation pages: what waits, what a block would be divided like, the booking from the page, and whether it was fair."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from accounts.models import TradingAccount
from allocations.models import Allocation, Block, BlockOutcome, IntendedAllocation, Scheme
from allocations.selectors.fairness import examine_fairness
from allocations.services.keep_outcomes import keep_outcomes
from allocations.services.save_scheme import save_scheme
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest
from kernel.clock import utc_now
from kernel.ids import first_id_of, new_id
from refdata.models import PriceTick
from tests.factories import AT, make_desk, make_principal
from tests.factories.allocations import open_block
from tests.factories.blocks import BlockWorld, block_world
from tests.factories.doors import sign_in_as

pytestmark = pytest.mark.django_db


def browser(actor: Principal) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    return client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def names(code: str, page: str) -> bool:
    """Whether a word of the page is the code: its random keys hold any two letters now and then."""
    return re.search(rf"\b{code}\b", page) is not None


class Pages:
    """A desk whose dealer allocates, signed in; a block of 1,000 said to be 600 : 400."""

    def __init__(self) -> None:
        self.world: BlockWorld = block_world()
        order = self.world.traded((600, "72.40"), (400, "72.525"))
        lines = [{"account": "C1", "target": "600"}, {"account": "C2", "target": "400"}]
        IntendedAllocation.objects.create(
            order_id=order.order_id, version=1, method="pro_rata", lines=lines, stamped_by="user:1", stamped_at=AT, event_id=new_id()
        )  # fmt: skip
        allocator = make_principal(
            "allocator", role="allocator", rights=("allocate_block",), desks=(self.world.desk.desk,),
            groups=(self.world.desk.group,),
        )  # fmt: skip
        self.ref, self.client = self.world.block.ref, browser(allocator)

    def get(self, path: str) -> HttpResponse:
        return self.client.get(path)  # type: ignore[return-value]

    def post(self, what: str, **data: Any) -> HttpResponse:
        return self.client.post(f"/alloc/{self.ref}/{what}", data, headers={"HX-Request": "true"})  # type: ignore[return-value]


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.split('id="alloc-book"')[1])
    assert found
    return found.group(1)


def test_a_block_is_seen_previewed_changed_and_booked_from_its_page() -> None:
    pages = Pages()
    Block.objects.update(allocate_by=utc_now() + timedelta(minutes=30))
    listed = pages.get("/alloc")
    assert listed.status_code == 200
    assert pages.ref in text(listed)
    assert "29m" in text(listed)
    assert "Unallocated 1" in text(listed)

    page = pages.get(f"/alloc/{pages.ref}")
    shown = text(page)
    assert "Pro-rata to target" in shown
    assert "average 72.45000000" in shown
    assert "May be booked by one person" in shown
    assert "Book 1,000 VOD.L to 2 accounts" in shown

    typed = {"method": "pro_rata", "account": ["C1", "C2", ""], "amount": ["500", "5,00", ""], "minimum": ["", "", ""]}
    changed = text(pages.post("preview", **typed))
    assert changed.count("edited") == 2
    assert "was 600" in changed
    assert "It differs from what was intended before the first execution." in changed
    assert "Ask a second person to book 1,000 VOD.L to 2 accounts" in changed
    wrong = pages.post("preview", **(typed | {"amount": ["500", "many", ""]}))
    assert wrong.status_code == 400
    assert "target is a number as text." in text(wrong)
    assert 'value="many"' in wrong.content.decode()
    short = pages.post("preview", **(typed | {"amount": ["500", "400", ""]}))
    assert (short.status_code, "BLOCK_ABOVE_TARGETS" in text(short)) == (400, True)

    body = page.content.decode()
    sent = {
        "key": hidden(body, "key"), "digest": hidden(body, "digest"), "method": "pro_rata", "account": ["C1", "C2"],
        "amount": ["600", "400"], "minimum": ["", ""],
    }  # fmt: skip
    stale = pages.post("book", **(sent | {"digest": "0" * 64}))
    assert (stale.status_code, Allocation.objects.count()) == (409, 0)
    booked = pages.post("book", **sent)
    assert (booked.status_code, booked.headers["HX-Redirect"]) == (200, f"/alloc/{pages.ref}")
    again = pages.post("book", **sent)
    assert again.status_code == 200
    shares = Allocation.objects.filter(is_rounding=False).values_list("account__code", "qty")
    assert sorted(shares) == [("C1", D(600)), ("C2", D(400))]
    after = text(pages.get(f"/alloc/{pages.ref}"))
    assert "Booked lines" in after
    assert "to book it again undoes what stands" in after
    assert pages.ref in text(pages.get("/alloc?view=booked"))
    assert pages.ref not in text(pages.get("/alloc"))


def test_what_differs_waits_for_a_second_person_with_its_reason() -> None:
    pages = Pages()
    typed = {"method": "weights", "account": ["C1", "C3"], "amount": ["1", "1"], "minimum": ["", ""]}
    page = pages.post("preview", **typed).content.decode()
    sent = {**typed, "key": hidden(page, "key"), "digest": hidden(page, "digest")}
    unreasoned = pages.post("book", **sent)
    assert (unreasoned.status_code, AuthorisationRequest.objects.filter(kind="allocation").count()) == (400, 0)
    assert pages.post("book", **sent, reason="C2 has left").status_code == 200
    waiting = AuthorisationRequest.objects.get(kind="allocation")
    assert (waiting.state, Allocation.objects.count()) == ("pending", 0)
    shown = text(pages.get(f"/alloc/{pages.ref}"))
    assert f"An allocation of {pages.ref} waits for a second person already." in shown
    assert pages.ref in text(pages.get("/alloc?view=waiting"))


def test_who_sees_no_desk_of_it_or_has_no_right() -> None:
    pages = Pages()
    stranger = browser(make_desk("EQ2", symbol="BARC.L").dealer)
    assert stranger.get(f"/alloc/{pages.ref}").status_code == 404
    assert pages.ref not in text(stranger.get("/alloc?view=all"))
    watching = browser(
        make_principal("watching", role="watcher", rights=(), desks=(pages.world.desk.desk,), trades=False)
    )
    shown = watching.get(f"/alloc/{pages.ref}")
    assert shown.status_code == 200
    assert "Your role may not allocate blocks." in text(shown)
    assert "C1" not in text(shown).replace("AC1", "")


def test_fairness_of_a_period_its_prices_kept_and_handed_out() -> None:
    """Three days of one block each that somebody allocated; two days later their closes are kept, and what was got is told."""
    pages = Pages()
    world = pages.world
    lines = [{"account": "C1", "target": "500"}, {"account": "C2", "target": "500"}]
    for number in range(3):
        day = AT.date() - timedelta(days=number + 1)
        when = AT - timedelta(days=number + 1)
        block = open_block(
            world.desk,
            [(1000, "72.50")],
            wash=world.wash,
            number=900 + number,
            trade_date=day,
            at=when,
            order_id=new_id(),
        )
        order_id = block.fill_rows.get().order_id
        IntendedAllocation.objects.create(
            order_id=order_id, version=1, method="pro_rata", lines=lines, stamped_by="user:1", stamped_at=AT, event_id=new_id()
        )  # fmt: skip
        Allocation.objects.bulk_create(
            [
                Allocation(
                    id=new_id(), number=9000 + 10 * number + place, block=block, round=1, account=world.clients[code],
                    booked_account_id=world.clients[code].id, side="1", qty=qty, avg_px=D("72.5"), gross=D("-0.725") * qty,
                    net=D("-0.725") * qty, trade_date=day, settlement_date=day, booked_event_id=new_id(), booked_at=when,
                )
                for place, (code, qty) in enumerate((("C1", 600), ("C2", 400)))
            ]
        )  # fmt: skip
        Block.objects.filter(pk=block.pk).update(
            state="booked", round=1, method="weights", booked_at=when, booked_by="user:1"
        )
        PriceTick.objects.create(
            id=first_id_of(when + timedelta(hours=1)), listing=world.desk.listing, source="test", made_at=when, received_at=when,
            last=D("73.225"), outcome="applied",
        )  # fmt: skip
    assert keep_outcomes(at=AT + timedelta(days=2)) == 3
    assert keep_outcomes(at=AT + timedelta(days=2)) == 0
    assert set(BlockOutcome.objects.values_list("close_px", flat=True)) == {D("73.225")}

    found = examine_fairness(
        actor=replace(world.dealer, rights=frozenset()), start=AT.date() - timedelta(days=9), end=AT.date()
    )
    one, two = sorted(found.records, key=lambda record: record.account)
    assert (found.blocks, found.unpriced, found.unsaid) == (3, 0, 0)
    assert (one.account, one.qty, one.filled, one.gain_bp, one.surplus_gain_bp) == (
        "C1",
        D(1800),
        D("1.2"),
        D(100),
        D(10),
    )
    assert (two.account, two.qty, two.filled, two.gain_bp, two.surplus_gain_bp) == (
        "C2",
        D(1200),
        D("0.8"),
        D(100),
        D(-10),
    )

    TradingAccount.objects.filter(code="C2").update(group=make_desk("EQ3", symbol="MSFT").group)
    path = f"from={AT.date() - timedelta(days=9)}&to={AT.date()}"
    page = text(pages.get(f"/alloc/fairness?{path}"))
    assert "3 booked blocks" in page
    assert "1 that you may not see" in page
    told = json.loads(pages.get(f"/alloc/fairness/export?{path}&form=json").content)
    assert [row[0] for row in told["rows"]] == ["C1"]
    assert pages.get("/alloc/fairness?from=x").status_code == 400
    assert pages.get("/alloc/fairness?from=2026-11-02&to=2026-11-01").status_code == 400


def test_a_parked_share_is_released_from_its_page_once_nothing_speaks_against_it() -> None:
    pages = Pages()
    frozen = TradingAccount.objects.filter(pk=pages.world.clients["C1"].pk)
    frozen.update(state="frozen")
    page = pages.get(f"/alloc/{pages.ref}").content.decode()
    typed = {name: hidden(page, name) for name in ("key", "digest", "method", "scheme")}
    pages.post("book", account=["C1", "C2"], amount=["600", "400"], minimum=["", ""], **typed)
    line = Allocation.objects.get(account=pages.world.clients["C1"], state="parked")
    assert f"Release {line.ref}" in text(pages.get(f"/alloc/{pages.ref}"))

    refused = pages.post("release", line=line.ref)
    assert (refused.status_code, "The account is frozen." in text(refused)) == (422, True)
    assert pages.post("release", line="A-999").status_code == 404
    frozen.update(state="active")
    assert pages.post("release", line=line.ref).headers["HX-Redirect"] == f"/alloc/{pages.ref}"
    line.refresh_from_db()
    assert (line.state, line.booked_account_id) == ("booked", pages.world.clients["C1"].id)
    assert pages.post("release", line=line.ref).status_code == 409


def test_accounts_of_other_groups_are_a_number_on_the_page_of_a_block() -> None:
    """The lines that were said, a scheme, a re-division: each names only accounts the reader may see."""
    pages = Pages()
    TradingAccount.objects.filter(code="C2").update(group=make_desk("EQ7", symbol="MSFT").group)
    page = pages.get(f"/alloc/{pages.ref}").content.decode()
    assert 'value="C1"' in page
    assert names("C1", page)
    assert not names("C2", page)
    assert "1 more line is of accounts that you may not see" in page
    mine = {"method": "weights", "account": ["C1"], "amount": ["1"], "minimum": [""]}
    assert not names("C2", pages.post("preview", **mine).content.decode())


def test_schemes_are_listed_tried_asked_for_and_ended_from_their_page() -> None:
    pages = Pages()
    desk, wash = pages.world.desk.desk.code, pages.world.wash.account.code
    typed = {
        "code": "by-size", "name": "By size", "desk": desk, "method": "weights", "wash_account": wash, "strategy": "",
        "lines": "C1, 3\nc2; 1 ; 10\nC3\t1\thouse\n", "books_alone": "yes", "reason": "They grew", "key": "k1",
    }  # fmt: skip

    def send(what: str, **changes: str) -> Any:
        return pages.client.post(f"/alloc/schemes/{what}", typed | changes, headers={"HX-Request": "true"})

    assert "No scheme is saved that you may see" in text(pages.get("/alloc/schemes"))
    tried = text(send("check"))
    assert "Tried on" in tried
    assert "weight 1, at least 10" in tried
    assert "whatever their value" in tried
    assert "PERCENT_NOT_100" in text(send("check", method="percentage"))
    assert "A line is: account, amount" in text(send("check", lines="C1"))
    assert not Scheme.objects.exists()
    assert send("ask", lines="C9, 1").status_code == 400
    asked = send("ask")
    assert "It waits for a second person: save scheme BY-SIZE" in text(asked)
    assert hidden_key(asked) != "k1"
    request = AuthorisationRequest.objects.get()
    scheme = save_scheme(actor=process_principal("test"), at=AT, body=request.payload["scheme"], request_id=request.id)
    assert scheme.lines == [
        {"account": "C1", "weight": "3"}, {"account": "C2", "weight": "1", "min_qty": "10"},
        {"account": "C3", "weight": "1", "house": True},
    ]  # fmt: skip
    page = pages.get("/alloc/schemes?code=BY-SIZE")
    shown = text(page)
    assert "Change asked" in shown
    assert "C1, 3 C2, 1, 10 C3, 1, house" in shown
    assert "A change of BY-SIZE waits for a second person already." in shown
    assert send("end").status_code == 409
    AuthorisationRequest.objects.update(state="withdrawn", closed_at=AT)
    assert "It waits for a second person: end scheme BY-SIZE" in text(send("end", key="k2"))
    assert pages.get("/alloc/schemes?code=NONE").status_code == 404
    watching = browser(
        make_principal("watching", role="watcher", rights=(), desks=(pages.world.desk.desk,), trades=False)
    )
    seen = text(watching.get("/alloc/schemes?code=BY-SIZE"))
    assert "and 3 of accounts that you may not see" in seen
    assert "C1" not in seen
    assert "Your role may not ask for schemes of allocation." in seen
    assert watching.post("/alloc/schemes/ask", typed).status_code == 403


def hidden_key(answer: Any) -> str:
    found = re.search(r'id="scheme-ask-key" value="([^"]+)"', answer.content.decode())
    assert found
    return found.group(1)
