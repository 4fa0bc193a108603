"""There is one road to the wire, and the last look is on it: by import, by grant, by type of message, and by trying every other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands
from django.db import DatabaseError, connection, transaction

from kernel.errors import InvariantBroken
from kernel.ids import new_id
from oms_project.house import database
from orders.models import Order, OrderRequest
from tests.architecture.house import ROOT
from tests.factories import AT, trading_off
from tests.factories.trading import EPOCH, GROUP, SESSION, Desk, relay
from venues.adapters.registry import adapter_named
from venues.gateway.engine import QUESTIONS, Engine
from venues.models import HandOver, WireIntent
from venues.services.mark_handed_over import HandedOver, mark_handed_over
from venues.services.refuse_intent import refuse_intent

ROLES = (database.APP, database.GATEWAY, database.READ)
INTENT = {"session_group": GROUP, "kind": "new", "adds_risk": True, "not_after": AT, "created_at": AT}


def hand_over(*, only_safe: bool = False) -> HandedOver:
    return mark_handed_over(
        group=GROUP, session=SESSION, epoch=EPOCH, fence=0, adapter=adapter_named("fix44"), limit=50,
        only_safe=only_safe, at=AT,
    )  # fmt: skip


# By code


def calls(name: str) -> list[str]:
    """Where a method of the engine is called in the rooms and the roof: file and function."""
    found = []
    for path in sorted(ROOT.glob("*/**/*.py")):
        room = path.relative_to(ROOT).parts[0]
        if room in ("tests", "benchmarks", "var", ".venv") or "simulator" in path.parts:
            continue
        for function in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                    owner = node.func.value
                    if isinstance(owner, ast.Name) and owner.id in ("engine", "_engine"):
                        found.append(f"{path.relative_to(ROOT)}:{function.name}")
    return found


def test_one_place_sends_and_it_is_behind_the_hand_over() -> None:
    assert calls("send") == ["venues/gateway/sending.py:put_on_wire"]
    taking = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in ("tests", ".venv") and "import put_on_wire" in path.read_text()
    }
    assert taking == {"venues/gateway/loop.py", "venues/gateway/post_trade.py"}
    assert {place.partition(":")[0] for place in calls("ask")} == {
        "venues/gateway/loop.py", "venues/gateway/probing.py", "venues/gateway/recovering.py",
    }  # fmt: skip


def test_only_the_engine_and_the_simulator_know_quickfix() -> None:
    knows = {
        str(path.relative_to(ROOT).parent)
        for path in ROOT.glob("*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in ("tests", "benchmarks", "var", ".venv")
        and "import quickfix" in Path(path).read_text()
    }
    assert knows <= {"venues/gateway", "venues/simulator", "oms_project/house"}


@pytest.mark.parametrize("msg_type", ["D", "G", "F", "Q", "q", "AB"])
def test_what_is_no_question_cannot_be_asked(msg_type: str) -> None:
    engine = Engine.__new__(Engine)
    with pytest.raises(InvariantBroken, match="NOT_A_QUESTION"):
        engine.ask("T1-A", ((35, msg_type), (11, "X")))
    assert {"H", "AF"} == QUESTIONS


@pytest.mark.django_db
def test_no_admin_and_no_command_of_ours_can_write_what_is_sent() -> None:
    guarded = {WireIntent, HandOver, Order, OrderRequest}
    assert not apps.is_installed("django.contrib.admin")  # there is no admin site at all
    assert guarded <= set(apps.get_models())
    ours = {app.name for app in apps.get_app_configs() if (ROOT / app.name.partition(".")[0]).is_dir()}
    assert {name for name, app in get_commands().items() if app in ours} == set()


# By grant


@pytest.fixture
def roles(db: None) -> None:
    """The roles of the house with the house's own grants, inside the test's transaction."""
    with connection.cursor() as cursor:
        for role in ROLES:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {role}")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {', '.join(ROLES[:2])}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {database.READ}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {', '.join(ROLES[:2])}")
        for table in database.APPEND_ONLY:
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {', '.join(ROLES[:2])}")
        cursor.execute(f"REVOKE INSERT ON {', '.join(database.HAND_OVERS)} FROM {database.APP}")


@contextmanager
def role_of(role: str) -> Iterator[Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        yield cursor
        cursor.execute("RESET ROLE")


HAND_OVER = (
    "INSERT INTO venues_handover (cl_ord_id, intent_id, mapping, body, session, epoch, fence, handed_over_at) "
    "VALUES ('X.1', 1, 'm', 'b', 's', 'e', 0, now())"
)


@pytest.mark.parametrize(
    ("role", "statement", "may"),
    [
        (database.GATEWAY, HAND_OVER, True),
        (database.APP, HAND_OVER, False),
        (database.READ, HAND_OVER, False),
        (database.GATEWAY, "UPDATE venues_handover SET body = 'other'", False),
        (database.GATEWAY, "DELETE FROM venues_handover", False),
        (database.APP, "UPDATE risk_ratemark SET amount = 1000000", False),
        (database.APP, "DELETE FROM accounts_canaryaccount", False),
        (database.READ, "UPDATE risk_block SET lifted_at = now()", False),
        (database.READ, "INSERT INTO risk_ratebucket VALUES ('x', now())", False),
        (database.APP, "DELETE FROM risk_breaker", False),
    ],
)
def test_who_may_write_what_the_road_is_made_of(roles: None, role: str, statement: str, may: bool) -> None:
    if may:
        with role_of(role) as cursor:
            cursor.execute(statement)
        assert HandOver.objects.count() == 1
        return
    with pytest.raises(DatabaseError), role_of(role) as cursor:
        cursor.execute(statement)
    assert not HandOver.objects.exists()


# By trying


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def test_an_update_past_the_services_is_looked_at_as_the_order_it_is(desk: Desk) -> None:
    """A pending request set to released by hand: the table of moves stops it; an intent for it is refused at the last look."""
    held = desk.buy(outcome="pending_authorisation", order_qty=Decimal(60_000))
    request = held.requests.get()
    WireIntent.objects.create(
        **INTENT, order_id=held.pk, request_id=request.pk, account_id=held.account_id, cl_ord_id=request.cl_ord_id,
        payload={"message": request.payload}, correlation_id=held.correlation_id,
    )  # fmt: skip
    assert [one.code for one in hand_over().not_sent] == ["REQUEST_NOT_RELEASED"]
    OrderRequest.objects.filter(pk=request.pk).update(state="released")
    trading_off()
    assert [one.code for one in hand_over().not_sent] == ["TRADING_SWITCHED_ON"]
    assert not HandOver.objects.exists()


def test_an_intent_for_nothing_and_one_for_anothers_order(desk: Desk) -> None:
    own, other = desk.buy(), desk.buy()
    relay()
    WireIntent.objects.create(
        **INTENT, order_id=own.pk, request_id=new_id(), account_id=own.account_id, cl_ord_id="FORGED.1",
        payload={"message": own.requests.get().payload}, correlation_id=own.correlation_id,
    )  # fmt: skip
    WireIntent.objects.filter(order_id=other.pk).update(cl_ord_id=f"{own.cl_ord_id}9")
    handed = hand_over()
    assert [out.cl_ord_id for out in handed.outgoing] == [own.cl_ord_id]
    assert sorted(one.code for one in handed.not_sent) == ["INTENT_FORGED", "REQUEST_UNKNOWN"]
    for refusal in handed.not_sent:
        refuse_intent(intent_id=refusal.intent_id, code=refusal.code, sentence=refusal.sentence, at=AT)
    assert not WireIntent.objects.filter(state="waiting").exists()  # nothing of it stands in the way of what follows


def test_what_left_once_never_leaves_again_by_retry_or_replay(desk: Desk) -> None:
    order = desk.buy()
    relay()
    assert len(hand_over().outgoing) == 1
    assert hand_over().outgoing == ()
    relay()  # listeners run at least once: the same event again makes no other intent
    assert (WireIntent.objects.count(), hand_over().outgoing) == (1, ())
    WireIntent.objects.filter(order_id=order.pk).update(state="waiting")  # by hand, as a bad script would
    assert [one.code for one in hand_over().not_sent] == ["REQUEST_NOT_RELEASED"]
    assert HandOver.objects.count() == 1


@pytest.mark.parametrize("missing", ["limits", "prices", "switch"])
def test_fail_closed_and_cancels_pass(desk: Desk, missing: str) -> None:
    working = desk.buy()
    desk.send(at=AT)
    desk.say(working, "0", "0")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            {
                "limits": "DELETE FROM risk_limit",
                "prices": "DELETE FROM refdata_referenceprice",
                "switch": "DELETE FROM risk_block",
            }[missing]
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    desk.buy(outcome="refused")
    desk.cancel(working)
    desk.send(at=AT)
    assert working.requests.get(kind="cancel").state == "handed_over"


def test_a_last_look_that_cannot_be_taken_sends_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise DatabaseError("marks cannot be read")

    order = desk.buy()
    relay()
    with monkeypatch.context() as fault:
        fault.setattr("orders.services.check_boundaries.get_marks", broken)
        with pytest.raises(DatabaseError):
            hand_over()
    assert (HandOver.objects.count(), WireIntent.objects.get(order_id=order.pk).state) == (0, "waiting")
    assert len(hand_over().outgoing) == 1
