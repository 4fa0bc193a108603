"""Schemes by request: asked by one, decided by another who never trades, bound to the version that stood, shown as far as each may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.models import AccountGroup, TradingAccount
from allocations.models import Scheme
from allocations.selectors.cases import said_for
from allocations.selectors.schemes import get_scheme, newest_schemes
from allocations.services._acting import Acted
from allocations.services.ask_scheme import ask_scheme, ask_scheme_end
from allocations.services.decide_post_trade_rules import decide_post_trade_rules
from allocations.services.save_scheme import save_scheme
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors.requests import facts_of
from authorisation.services.withdraw_request import withdraw_request
from journal.models import Event
from journal.selectors import stream_records
from kernel.errors import InvariantBroken, NotFound, NotPermitted, OmsError
from operations.domain.effect import Effect, EffectLine
from operations.selectors.payload_shown import HIDDEN, shown_payload
from operations.selectors.post_trade_rules import describe_post_trade_rules
from operations.selectors.schemes_page import get_scheme_page
from tests.factories import AT, make_desk, make_principal
from tests.factories.blocks import BlockWorld, block_world

pytestmark = pytest.mark.django_db


class House:
    """A desk with a wash account and three clients; who asks, who decides, who sees the desk and no account of it."""

    def __init__(self) -> None:
        self.world: BlockWorld = block_world()
        desk = self.world.desk
        common: dict[str, Any] = {
            "desks": (desk.desk,),
            "groups": (desk.group,),
            "trades": False,
            "persona": "operations",
        }
        self.ops = make_principal("ops", role="ops", rights=("work_post_trade",), **common)
        self.checker = make_principal("chk", role="chk", rights=("decide_post_trade",), **common)
        self.narrow = make_principal(
            "narrow", role="narrow", rights=("decide_post_trade",), **(common | {"groups": ()})
        )
        self.keys = 0

    def body(self, **changes: Any) -> dict[str, Any]:
        lines = [{"account": "C1", "weight": "3"}, {"account": "C2", "weight": "1"}]
        return {
            "code": "BY-SIZE", "name": "By size", "desk": self.world.desk.desk.code, "method": "weights", "lines": lines,
            "parameters": {}, "wash_account": self.world.wash.account.code, "strategy": "", "books_alone": False,
        } | changes  # fmt: skip

    def ask(self, actor: Principal | None = None, key: str = "", reason: str = "They grew", **changes: Any) -> Acted:
        self.keys += 1
        return ask_scheme(
            actor=actor or self.world.dealer, at=AT, idempotency_key=key or f"k{self.keys}", route="test",
            given=self.body(**changes), reason=reason,
        )  # fmt: skip

    def end(self, actor: Principal | None = None, code: str = "BY-SIZE") -> Acted:
        self.keys += 1
        return ask_scheme_end(
            actor=actor or self.world.dealer, at=AT, idempotency_key=f"k{self.keys}", route="test", code=code, reason="No more"
        )  # fmt: skip

    def request(self, asked: Acted) -> AuthorisationRequest:
        assert asked.authorisation_id is not None
        return AuthorisationRequest.objects.get(pk=asked.authorisation_id)

    def decide(self, asked: Acted, actor: Principal | None = None, verdict: str = "approve") -> str:
        row = self.request(asked)
        done = decide_post_trade_rules(
            actor=actor or self.checker, at=AT, authorisation_id=row.id, verdict=verdict, reason_code="OTHER", reason="seen",
            payload_hash=row.payload_hash,
        )  # fmt: skip
        return done.outcome

    def effect(self, asked: Acted, actor: Principal | None = None) -> Effect:
        return describe_post_trade_rules(actor or self.checker, facts_of(self.request(asked)), AT)

    def save(self, **changes: Any) -> Scheme:
        body = self.body(**changes) | {"ended": changes.get("ended", False)}
        return save_scheme(actor=process_principal("test"), at=AT, body=body, request_id=None)


def told(lines: tuple[EffectLine, ...]) -> dict[str, tuple[str, str]]:
    return {line.label: (line.now, line.then) for line in lines if line.changes}


def refused(code: str, call: Callable[[], object]) -> None:
    before = (Event.objects.count(), AuthorisationRequest.objects.count(), Scheme.objects.count())
    with pytest.raises(OmsError) as raised:
        call()
    assert raised.value.code == code
    assert (Event.objects.count(), AuthorisationRequest.objects.count(), Scheme.objects.count()) == before


def test_a_scheme_is_saved_changed_and_ended_by_two_people() -> None:
    house = House()
    house.world.traded((1000, "72.50"))
    first = house.ask(key="first")
    assert house.ask(key="first").authorisation_id == first.authorisation_id
    assert (Scheme.objects.count(), said_for(house.world.block)) == (0, None)
    refused("CHANGE_PENDING", lambda: house.ask(name="Another"))
    shown = house.effect(first)
    assert shown.obstacle == ""
    assert told(shown.fields)["C1"] == ("no line", "weight 3")
    assert told(shown.lines) == {"C1": ("0", "750"), "C2": ("0", "250"), "All 2 accounts": ("0", "1,000")}
    for person in (house.world.dealer, house.ops, house.world.compliance):
        with pytest.raises(NotPermitted):
            house.decide(first, person)
    assert house.decide(first) == "applied"
    saved = get_scheme(house.world.dealer, "BY-SIZE")
    assert (saved.version, saved.request_id, saved.method) == (1, first.authorisation_id, "weights")
    (event,) = stream_records("allocation-scheme:BY-SIZE")
    assert (event.kind, event.actor, event.payload["maker_id"], event.payload["reason"]) == (
        "SchemeSaved", house.checker.actor, house.world.dealer.user_id, "They grew",
    )  # fmt: skip
    said = said_for(house.world.block)
    assert said is not None
    assert said.scheme == "BY-SIZE"
    refused("SCHEME_UNCHANGED", house.ask)

    changed = house.ask(lines=[{"account": "C1", "weight": "1"}, {"account": "C3", "weight": "1"}], books_alone=True)
    shown = house.effect(changed)
    assert told(shown.fields) == {
        "Books without a person": ("no", "yes"), "C1": ("weight 3", "weight 1"), "C2": ("weight 1", "no line"),
        "C3": ("no line", "weight 1"),
    }  # fmt: skip
    assert told(shown.lines) == {"C1": ("750", "500"), "C2": ("250", "0"), "C3": ("0", "500")}
    assert any("without a person" in warning for warning in shown.warnings)
    assert house.decide(changed) == "applied"
    assert [scheme.version for scheme in newest_schemes(house.world.dealer)] == [2]
    assert [old.version for old in get_scheme_page(house.checker, "BY-SIZE").versions] == [2, 1]

    end = house.end()
    shown = house.effect(end)
    assert told(shown.lines) == {"C1": ("500", "0"), "C3": ("500", "0"), "All 2 accounts": ("1,000", "0")}
    assert house.decide(end) == "applied"
    assert said_for(house.world.block) is None
    refused("SCHEME_ENDED", house.end)
    assert house.decide(house.ask()) == "applied"  # what has ended may be saved again
    assert get_scheme(house.world.dealer, "BY-SIZE").version == 4


def test_what_moved_since_it_was_asked_is_not_applied_and_what_is_declined_changes_nothing() -> None:
    house = House()
    house.save()
    asked = house.ask(name="Newer")
    house.save(name="Meanwhile")
    assert house.effect(asked).obstacle == "The scheme was changed since this was asked."
    assert house.decide(asked) == "not_applied"
    assert house.decide(house.ask(name="Newer"), verdict="decline") == "declined"
    taken = house.ask(code="OTHER", wash_account="")
    house.decide(taken)
    late = house.ask(code="OTHER", wash_account="", name="To be withdrawn")
    withdraw_request(actor=house.world.dealer, at=AT, authorisation_id=house.request(late).id)
    assert [(row.code, row.version, row.name) for row in newest_schemes(house.checker)] == [
        ("BY-SIZE", 2, "Meanwhile"), ("OTHER", 1, "By size"),
    ]  # fmt: skip

    # Of one account and strategy one scheme is the default: at the asking, and at the decision where two were asked.
    refused("DEFAULT_TAKEN", lambda: house.ask(code="SECOND"))
    both = [house.ask(code=code, strategy="VWAP") for code in ("ONE", "TWO")]
    assert house.decide(both[0]) == "applied"
    assert "ONE has become the default" in house.effect(both[1]).obstacle
    assert house.decide(both[1]) == "not_applied"
    assert not Scheme.objects.filter(code="TWO").exists()


def test_who_may_ask_and_what_is_not_there() -> None:
    house = House()
    other = make_desk("EQ2", symbol="BARC.L")
    foreign = house.save(code="THEIRS", desk=other.desk.code, wash_account="")
    TradingAccount.objects.filter(code="C3").update(
        group=AccountGroup.objects.create(code="SECRET", name="Secret", desk=house.world.desk.desk)
    )
    hidden = [{"account": "C1", "weight": "1"}, {"account": "C3", "weight": "1"}]
    nobody = replace(house.world.dealer, rights=frozenset({"enter_order"}))
    for code, call in (
        ("RIGHT_MISSING", lambda: house.ask(nobody)),
        ("RIGHT_MISSING", lambda: house.end(nobody)),
        ("RIGHT_MISSING", lambda: house.ask(desk="", wash_account="")),  # of every desk: operations asks
        ("REASON_INVALID", lambda: house.ask(reason="  ")),
        ("SCHEME_INVALID", lambda: house.ask(desk=other.desk.code, wash_account="")),
        ("SCHEME_INVALID", lambda: house.ask(desk="NONE", wash_account="")),
        ("SCHEME_INVALID", lambda: house.ask(wash_account="C1")),
        ("SCHEME_INVALID", lambda: house.ask(wash_account="NONE")),
        ("LINES_INVALID", lambda: house.ask(lines=hidden)),
        ("LINES_INVALID", lambda: house.ask(lines=[{"account": "NOBODY", "weight": "1"}])),
        ("LINES_INVALID", lambda: house.ask(lines=[{"account": house.world.wash.account.code, "weight": "1"}])),
        ("DUPLICATE_ACCOUNT", lambda: house.ask(lines=[hidden[0], hidden[0]])),
        ("SCHEME_CODE_TAKEN", lambda: house.ask(code="THEIRS", wash_account="")),
        ("SCHEME_UNKNOWN", lambda: house.end(code="THEIRS")),
        ("SCHEME_UNKNOWN", lambda: house.end(code="NONE")),
    ):
        refused(code, call)
    with pytest.raises(NotFound):
        get_scheme(house.world.dealer, foreign.code)
    with pytest.raises(InvariantBroken):  # around the second person there is no way
        save_scheme(actor=house.world.dealer, at=AT, body=house.body() | {"ended": False}, request_id=None)
    house.save()
    refused("SCHEME_INVALID", lambda: house.ask(house.ops, desk="", wash_account=""))  # it stays with its desk
    whole = house.ask(house.ops, code="FIRM", desk="", wash_account="")
    assert house.request(whole).desk_id is None
    assert house.decide(whole) == "applied"
    refused("RIGHT_MISSING", lambda: house.end(code="FIRM"))


def test_a_checker_who_sees_the_desk_and_not_the_accounts_decides_on_numbers_and_sums() -> None:
    house = House()
    house.world.traded((1000, "72.50"))
    house.save(lines=[{"account": "C1", "weight": "1"}, {"account": "C2", "weight": "1"}])
    asked = house.ask()
    shown = house.effect(asked, house.narrow)
    text = repr(shown)
    assert "C1" not in text
    assert "C2" not in text
    assert told(shown.fields) == {"2 accounts that you may not see": ("weight 2", "weight 4")}
    assert [(line.label, line.now, line.then) for line in shown.lines] == [
        ("2 accounts that you may not see", "1,000", "1,000"), ("All 2 accounts", "1,000", "1,000"),
    ]  # fmt: skip
    facts = facts_of(house.request(asked))
    payload = shown_payload(house.narrow, facts)["scheme"]
    assert (payload["lines"], payload[HIDDEN]) == ([], 2)
    assert shown_payload(house.checker, facts)["scheme"] == facts.payload["scheme"]
    page = get_scheme_page(house.narrow, "BY-SIZE")
    assert (page.lines, page.hidden) == ([], 2)
    assert house.decide(asked, house.narrow) == "applied"
