"""A gate of the start of day opened by two: for one account or all, for that day and that gate; told in every decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors import get_principal
from authorisation.selectors.requests import facts_of
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from kernel.ids import new_id
from operations.approving import KINDS
from operations.selectors.gates import describe_gate_override
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.capture_order import capture_order
from reconciliation.models import Feed
from reconciliation.selectors.gates import list_gates
from reconciliation.services.ask_gate_override import ask_gate_override
from reconciliation.services.set_gates import set_gates
from reconciliation.services.withdraw_gate_override import withdraw_gate_override
from risk.as_at import get_marks_as_at
from risk.models import Block, Waiver
from risk.services.grant_waiver import grant_waiver
from risk.services.impose_block import impose_block
from tests.factories import AT, DeskWorld, make_account, make_desk, make_principal, terms
from tests.factories.authorisation import person
from tests.factories.feeds import make_feed

pytestmark = pytest.mark.django_db

SOURCE = "start_of_day:BANK-CASH"
MIDNIGHT = datetime.combine(AT.date() + timedelta(days=1), time(0), UTC)
"""London in November."""


@pytest.fixture
def world() -> DeskWorld:
    world = make_desk()
    make_feed()
    impose_block(
        actor=process_principal("start_of_day"), at=AT, scope="firm", scope_id="", source=SOURCE, reason="Not here."
    )
    return world


@pytest.fixture
def keepers(world: DeskWorld) -> tuple[Principal, Principal]:
    rights = ("work_break", "decide_break")
    sees = {"desks": (world.desk,), "groups": (world.group,), "trades": False}
    one, other = (make_principal(name, role="operations", rights=rights, **sees) for name in ("keeper", "second"))  # type: ignore[arg-type]
    return one, other


def ask(who: Principal, account: str = "", *, until: datetime | None = None, at: datetime = AT, **more: str) -> UUID:
    said = {"reason": "The bank's system is down.", "evidence": "Balances read by phone, rec 1.", **more}
    return ask_gate_override(actor=who, at=at, feed="BANK-CASH", account=account, until=until, **said)


def decide(who: Principal, request_id: UUID, verdict: str = "approve", *, at: datetime = AT) -> Decided:
    request = AuthorisationRequest.objects.get(pk=request_id)
    done: Decided = KINDS["gate_override"].decide(
        actor=who, at=at, authorisation_id=request_id, verdict=verdict, reason_code="OTHER", reason="Called back.",
        payload_hash=request.payload_hash,
    )  # fmt: skip
    return done


def capture(world: DeskWorld, *, account: str = "") -> CaptureResult:
    changes = {"account": account} if account else {}
    return capture_order(
        actor=world.dealer,
        at=AT,
        idempotency_key=str(new_id()),
        route="ticket",
        source="ticket",
        terms=terms(world, **changes),
    )


def told() -> list[str]:
    return list(Event.objects.filter(kind__startswith="Waiver").order_by("id").values_list("kind", flat=True))


def gate_answer(order: Order) -> dict[str, object]:
    checks = order.requests.get().checks
    return next(check for check in checks if check["code"] == "NO_STANDING_BLOCK")


def test_one_account_is_let_through_and_its_orders_say_so(
    world: DeskWorld, keepers: tuple[Principal, Principal]
) -> None:
    keeper, second = keepers
    make_account("OTHER-1", group=world.group, cash="100000")
    code = world.account.code
    assert capture(world).outcome == "refused"
    request_id = ask(keeper, code)
    with pytest.raises(Conflict) as pending:
        ask(keeper, code)
    assert pending.value.code == "DECISION_PENDING"
    effect = describe_gate_override(second, facts_of(AuthorisationRequest.objects.get(pk=request_id)), AT)
    assert (effect.obstacle, effect.lines[0].then, "rec 1" in effect.warnings[1]) == ("", "1", True)
    with pytest.raises(NotPermitted):
        decide(keeper, request_id)  # one person in two roles
    assert capture(world).outcome == "refused", "asked is not granted"
    assert decide(second, request_id).outcome == "applied"

    waiver = Waiver.objects.get()
    assert (waiver.until, waiver.granted_by) == (MIDNIGHT, second.actor)
    passed = capture(world)
    assert passed.outcome == "released"
    said = str(gate_answer(Order.objects.get(pk=passed.order_id)))
    assert ("opened_by" in said, str(waiver.id) in said) == (True, True), said
    assert capture(world, account="OTHER-1").outcome == "refused", "others wait for the file"

    (gate,) = list_gates(at=AT)
    assert [one.account for one in gate.openings] == [code]
    (as_at,) = get_marks_as_at(at=AT, pairs=[("firm", "")]).blocks
    assert as_at.waivers[0].id == str(waiver.id)

    withdraw_gate_override(actor=keeper, at=AT, waiver_id=waiver.id, reason="Wrong account.")
    assert capture(world).outcome == "refused"
    with pytest.raises(Conflict) as ended:
        withdraw_gate_override(actor=keeper, at=AT, waiver_id=waiver.id, reason="Again.")
    assert (ended.value.code, told()) == ("OVERRIDE_ENDED", ["WaiverGranted", "WaiverEnded"])


def test_all_are_let_through_until_the_time_or_until_the_gate_is_lifted(
    world: DeskWorld, keepers: tuple[Principal, Principal]
) -> None:
    keeper, second = keepers
    decide(second, ask(keeper, until=AT + timedelta(hours=1)))
    assert capture(world).outcome == "released"
    impose_block(
        actor=process_principal("x"),
        at=AT,
        scope="account",
        scope_id=str(world.account.id),
        source="x",
        reason="Another.",
    )
    assert capture(world).outcome == "refused", "every other block stands"
    over = AT + timedelta(hours=1)
    Feed.objects.update(gates=True, watched_from=AT.date())
    set_gates(at=over)
    assert Waiver.objects.get().ended_reason == "Its time is over."

    asked = ask(keeper, at=over)
    Feed.objects.update(gates=False)
    set_gates(at=over)  # the gate is lifted, whatever lifts it
    assert Block.objects.filter(source=SOURCE, lifted_at=None).count() == 0
    answer = decide(second, asked, at=over)
    assert (answer.outcome, "does not stand" in answer.sentence) == ("not_applied", True)
    with pytest.raises(Conflict) as open_already:
        ask(keeper, at=over)
    assert open_already.value.code == "GATE_OPEN"


def test_what_stands_ends_with_its_gate_and_opens_no_other(
    world: DeskWorld, keepers: tuple[Principal, Principal]
) -> None:
    keeper, second = keepers
    decide(second, ask(keeper))
    waiting = ask(keeper, world.account.code)
    Feed.objects.update(gates=False)
    set_gates(at=AT)
    assert Waiver.objects.get().ended_reason.startswith("The gate is open")
    impose_block(actor=process_principal("s"), at=AT, scope="firm", scope_id="", source=SOURCE, reason="Next day.")
    assert capture(world).outcome == "refused"
    assert decide(second, waiting).outcome == "not_applied", "it was asked about the gate of before"
    declined = decide(second, ask(keeper), "decline")
    assert (declined.outcome, Waiver.objects.count()) == ("declined", 1)


def test_who_may_not_and_what_may_not_be_opened(world: DeskWorld, keepers: tuple[Principal, Principal]) -> None:
    keeper, second = keepers
    for who in (world.dealer, world.checker):
        with pytest.raises(NotPermitted):
            ask(who)
    blind = get_principal(person("blind", rights=("work_break",)))
    for more in (
        {"reason": " "}, {"evidence": ""}, {"until": AT}, {"until": MIDNIGHT + timedelta(seconds=1)}, {"account": "NOBODY"},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            ask(keeper, **more)
    with pytest.raises(Invalid):
        ask(blind, world.account.code)
    assert AuthorisationRequest.objects.count() == 0

    request_id = ask(keeper)
    with pytest.raises(NotFound):
        decide(replace(second, rights=frozenset({"work_break"})), request_id)
    late = decide(second, request_id, at=AT + timedelta(hours=3))
    assert late.outcome == "applied"
    with pytest.raises(NotPermitted):
        withdraw_gate_override(actor=world.dealer, at=AT, waiver_id=Waiver.objects.get().id, reason="x")
    with pytest.raises(NotFound):
        withdraw_gate_override(actor=keeper, at=AT, waiver_id=request_id, reason="x")

    house = process_principal("start_of_day")
    kill = {
        "scope": "firm",
        "scope_id": "",
        "account_id": "",
        "until": MIDNIGHT,
        "reason": "x",
        "request_id": request_id,
    }
    for source in ("kill_switch", "break:BRK-000001", "trading_switch", "recovery:SIM1", "start_of_days:X"):
        with pytest.raises(Invalid):
            grant_waiver(actor=house, at=AT, source=source, **kill)  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        grant_waiver(actor=house, at=MIDNIGHT, source=SOURCE, **kill)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        grant_waiver(actor=keeper, at=AT, source=SOURCE, **kill)  # type: ignore[arg-type]
    waiver = Waiver.objects.get()
    stopped = impose_block(actor=house, at=AT, scope="firm", scope_id="", source="fsck", reason="x").block_id
    for change in ({"until": MIDNIGHT + timedelta(days=1)}, {"account_id": "x"}, {"block_id": stopped}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Waiver.objects.filter(pk=waiver.id).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():  # approved, but about another block
        Waiver.objects.create(
            id=request_id,
            block_id=stopped,
            until=MIDNIGHT,
            reason="x",
            request_id=request_id,
            granted_by="x",
            granted_at=AT,
        )
