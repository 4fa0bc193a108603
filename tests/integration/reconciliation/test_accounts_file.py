"""Accounts of the client system: opened, changed, stopped at once, let go only by a second person; never deleted."""

from __future__ import annotations

import pytest

from accounts.models import CashBalance, Client, TradingAccount
from journal.models import Event
from journal.selectors.happenings import list_happenings
from journal.services.advance_projection import take_all
from operations.domain.picture_state import PictureState
from operations.services.compare_picture import compare_picture
from operations.services.compare_replay import compare_replay
from tests.factories import DeskWorld
from tests.factories.busy_day import told_desk
from tests.integration.reconciliation.test_take_in import LATER, codes, taken

pytestmark = pytest.mark.django_db
HEADER = "account,client,client_name,name,account_group,base_currency,state,account_class,short_allowed\n"


@pytest.fixture
def world() -> DeskWorld:
    return told_desk(cash="1000", stock="500")


def line(world: DeskWorld, code: str = "TOLD-EQ1", *, state: str = "active", short: str = "yes", **changes: str) -> str:
    told = {
        "client": world.account.client.code, "client_name": "", "name": code.removeprefix("TOLD-"),
        "group": world.group.code, "currency": "GBP", "class": "",
    } | changes  # fmt: skip
    cells = (
        code,
        told["client"],
        told["client_name"],
        told["name"],
        told["group"],
        told["currency"],
        state,
        told["class"],
        short,
    )
    return ",".join(cells) + "\n"


def state_of(code: str) -> str:
    return TradingAccount.objects.get(code=code).state


def test_new_accounts_with_their_clients_are_opened_and_told(world: DeskWorld) -> None:
    rows = (
        line(world)
        + line(world, "N1", client="NC", client_name="New client", short="no")
        + line(world, "N2", client="NC", short="no")
    )

    intake = taken(HEADER + rows, kind="accounts")

    assert (intake.state, intake.rows, intake.changed, intake.unchanged) == ("applied", 3, 2, 1)
    opened = TradingAccount.objects.get(code="N1")
    assert (opened.client.name, opened.group, opened.short_allowed) == ("New client", world.group, False)
    assert Client.objects.filter(code="NC").count() == 1
    assert CashBalance.objects.get(account=opened).currency == "GBP"
    assert opened.history.count() == 1
    assert Event.objects.filter(kind="AccountsLoaded").count() == 1
    assert compare_replay().differing == 0
    state = PictureState()
    take_all(state, list_happenings(0))
    assert compare_picture(state=state, position=2**62).equal
    assert taken(HEADER + rows, kind="accounts").changed == 0


def test_what_takes_something_away_takes_effect_at_once_though_the_file_waits(world: DeskWorld) -> None:
    taken(HEADER + line(world) + line(world, "N1", short="no"), kind="accounts")
    rows = line(world, state="frozen") + line(world, "N1", short="no", group="NOWHERE")

    intake = taken(HEADER + rows, kind="accounts")

    assert (intake.state, codes(intake)) == ("waiting", {"GROUP_UNKNOWN": 1})
    assert state_of("TOLD-EQ1") == "frozen"
    event = Event.objects.get(kind="AccountStateSet")
    assert (event.stream, event.payload["before"], event.payload["state"]) == (
        f"account:{world.account.id}",
        "active",
        "frozen",
    )


def test_who_may_do_more_waits_for_a_second_person(world: DeskWorld) -> None:
    TradingAccount.objects.filter(pk=world.account.pk).update(state="frozen")

    intake = taken(HEADER + line(world), kind="accounts")

    assert (intake.state, codes(intake)) == ("waiting", {"STATE_LOOSENED": 1})
    assert state_of("TOLD-EQ1") == "frozen"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "EUR"}, "CURRENCY_CHANGED"),
        ({"client": "OTHER"}, "CLIENT_CHANGED"),
        ({"state": "closed"}, "CLOSED_WITH_MONEY"),
        ({"class": "nonsense"}, "CLASS_UNKNOWN"),
        ({"group": "NOWHERE"}, "GROUP_UNKNOWN"),
    ],
)
def test_what_an_account_can_never_become(world: DeskWorld, changes: dict[str, str], code: str) -> None:
    intake = taken(HEADER + line(world, **changes), kind="accounts")

    assert (intake.state, codes(intake)) == ("refused", {code: 1})
    assert state_of("TOLD-EQ1") == "active"


def test_an_account_that_is_gone_stays_and_is_told(world: DeskWorld) -> None:
    taken(HEADER + line(world) + line(world, "N1", short="no"), kind="accounts")

    empty = taken(HEADER + line(world), kind="accounts", at=LATER)
    assert (empty.state, codes(empty)) == ("applied", {"ACCOUNT_MISSING": 1})
    assert state_of("N1") == "active"
