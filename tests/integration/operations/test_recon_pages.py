"""The pages of runs and breaks: what each person sees of them, in figures, and what is nobody's to see."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import Principal
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import NotFound
from kernel.ids import new_id
from operations.selectors.recon.ageing import list_ageing, list_coming_back, list_recurrence
from operations.selectors.recon.break_page import find_break, get_break, get_break_detail
from operations.selectors.recon.breaks import list_breaks_of_run, list_tiles, net_of
from operations.selectors.recon.differences import compare_runs
from operations.selectors.recon.runs import get_run, list_runs
from reconciliation.models import Break
from reconciliation.selectors.seeing import sees_everything, visible_breaks
from risk.models import Block
from tests.factories import AT, DeskWorld, make_desk, make_principal
from tests.factories.compared import accept_break, end_break, make_breaks, make_file, make_run, saw
from tests.factories.doors import sign_in_as
from tests.factories.executed import captured
from venues.models import RouteDecision

pytestmark = pytest.mark.django_db
WORKS = ("work_break", "decide_break")


@pytest.fixture
def world() -> DeskWorld:
    return make_desk("EQ1")


@pytest.fixture
def other() -> DeskWorld:
    return make_desk("EQ2")


def worker(name: str, *worlds: DeskWorld) -> Principal:
    return make_principal(
        name, role="operations", rights=WORKS, desks=tuple(one.desk for one in worlds), groups=tuple(one.group for one in worlds),
        trades=False, persona="operations",
    )  # fmt: skip


def browser(actor: Principal) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    return client


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content[:400]
    return str(answer.content.decode())


def test_rows_decide_what_is_listed_counted_and_exported(world: DeskWorld, other: DeskWorld) -> None:
    run = make_run()
    mine = make_breaks(run, 3, account_id=world.account.pk)
    make_breaks(run, 2, account_id=other.account.pk)
    nameless = make_breaks(run, 1)
    ops = worker("r.one", world)
    dealer = world.dealer
    assert set(visible_breaks(dealer)) == set(mine)
    assert set(visible_breaks(ops)) == {*mine, *nameless}
    assert get_run(actor=dealer, at=AT, run_id=run.pk).counts == {"new": 3, "standing": 0, "closed": 0}
    assert get_run(actor=ops, at=AT, run_id=run.pk).counts["new"] == 4
    everybody = worker("r.two", world, other)
    assert (sees_everything(ops), sees_everything(everybody)) == (False, True)
    assert get_run(actor=everybody, at=AT, run_id=run.pk).counts["new"] == 6
    assert list_tiles(actor=dealer, run=run)[0].count == 3
    assert net_of(list_tiles(actor=dealer, run=run)) == {"GBP": Decimal("138900")}
    rows = json.loads(browser(dealer).get(f"/recon/{run.pk}/export?form=json").content)["rows"]
    assert [row[0] for row in rows] == [one.ref for one in mine]


def test_the_totals_of_a_run_are_not_for_whoever_sees_a_part(world: DeskWorld, other: DeskWorld) -> None:
    run = make_run()
    assert "18,191" not in text(browser(world.dealer).get(f"/recon/{run.pk}"))
    assert "99.91 %" in text(browser(worker("r.one", world)).get("/recon"))  # 18,191 of 18,206, rounded down


def test_a_hidden_break_is_as_one_that_is_not_there(world: DeskWorld, other: DeskWorld) -> None:
    run = make_run()
    (hidden,) = make_breaks(run, account_id=other.account.pk)
    for ref in (hidden.ref, "BRK-999999", "nothing", "BRK-0"):
        with pytest.raises(NotFound, match="no break"):
            get_break(actor=world.dealer, ref=ref)
        assert browser(world.dealer).get(f"/b/{ref}").status_code == 404


def test_a_break_is_found_by_its_name_wherever_one_searches(world: DeskWorld) -> None:
    run = make_run()
    (item,) = make_breaks(run, account_id=world.account.pk)
    for typed in (item.ref, item.ref.lower(), f"BRK{item.number}", f" brk-{item.number} "):
        assert find_break(actor=world.dealer, text=typed) == item, typed
    assert find_break(actor=world.dealer, text=str(item.number)) is None  # a bare number is the end of an order's name
    answer = browser(world.dealer).get("/search", {"q": item.ref})
    assert answer.headers["Location"] == f"/b/{item.ref}"


def test_the_page_of_a_break_says_everything_at_once(world: DeskWorld) -> None:
    run = make_run()
    (item,) = make_breaks(
        run, account_id=world.account.pk, category="quantity", ours={"cum_qty": "19800"},
        differences=[
            {"field": "cum_qty", "ours": "19800", "theirs": "20000", "difference": "200"},
            {"field": "ord_status", "ours": "1", "theirs": "2", "difference": None},
        ],
        candidates=[{"exec_id": "9F77"}], key="k",
    )  # fmt: skip
    Block.objects.create(
        id=new_id(), scope="account", scope_id=str(world.account.pk), source=f"break:{item.ref}",
        reason="Account blocked by the break", imposed_by="process:test", imposed_at=AT,
    )  # fmt: skip
    shown = text(browser(world.dealer).get(f"/b/{item.ref}"))
    for words in (
        item.why, "19,800", "20,000", "+200", "differs", f"account {world.account.code}</b>", "ExecID", "ExecutionReport",
        "fills.log, line 4118", "9b1c9b1c9b1c9b1c", "never an identity", "9F77", world.account.code,
    ):  # fmt: skip
        assert words in shown, words
    detail = get_break_detail(actor=world.dealer, item=item, at=AT)
    assert [one.run_id for one in detail.seen] == [run.pk]
    assert {field.tag: field.value for field in detail.theirs.decoded}[17] == "9F31"


def test_the_same_matter_at_other_times_is_named(world: DeskWorld) -> None:
    run = make_run()
    (first,) = make_breaks(run, account_id=world.account.pk, key="same")
    end_break(first)
    later = make_run(at=AT + timedelta(days=1))
    (again,) = make_breaks(later, account_id=world.account.pk, key="same", recurrence=2)
    detail = get_break_detail(actor=world.dealer, item=again, at=AT)
    assert [one.ref for one in detail.others] == [first.ref]


def test_order_and_account_say_which_breaks_there_are(world: DeskWorld, other: DeskWorld) -> None:
    run = make_run("positions")
    (item,) = make_breaks(run, account_id=world.account.pk)
    (gone,) = make_breaks(run, account_id=world.account.pk)
    end_break(gone)
    shown = text(browser(world.dealer).get(f"/positions/{world.account.code}"))
    assert (item.ref in shown, gone.ref in shown) == (True, False)


def test_a_break_of_an_order_is_on_its_page_and_not_told_to_who_sees_the_account_alone(
    world: DeskWorld, other: DeskWorld
) -> None:
    order = captured(world)
    (item,) = make_breaks(make_run(), account_id=world.account.pk, order_id=order.order_id)
    link = f'href="/b/{item.ref}"'
    assert link in text(browser(world.dealer).get(f"/o/{order.ref}"))
    assert link in text(browser(world.dealer).get(f"/positions/{world.account.code}"))
    visitor = make_principal(
        "v.one", role="operations", rights=(), desks=(other.desk,), groups=(world.group,), trades=False
    )
    assert link not in text(browser(visitor).get(f"/positions/{world.account.code}"))


def test_families_words_and_pages(world: DeskWorld) -> None:
    run = make_run()
    about: dict[str, Any] = {"account_id": world.account.pk}
    for category in ("missing_external", "status", "quantity", "price", "fee", "duplicate_suspect", "timing"):
        make_breaks(run, 2, category=category, **about)
    standing = make_breaks(run, 150, word="standing", **about)
    closed = make_breaks(run, 1, word="closed", **about)
    end_break(closed[0])
    counts = {tile.family.name: (tile.count, tile.new, tile.closed) for tile in list_tiles(actor=world.dealer, run=run)}
    assert counts == {
        "missing_internal": (150, 0, 1), "missing_external": (2, 2, 0), "status": (2, 2, 0), "fill": (8, 8, 0),
        "timing": (2, 2, 0),
    }  # fmt: skip
    first = list_breaks_of_run(actor=world.dealer, run=run, at=AT, word="standing")
    rest = list_breaks_of_run(actor=world.dealer, run=run, at=AT, word="standing", after=first.next_after)
    assert [row.item for row in (*first.rows, *rest.rows)] == standing
    assert (len(first.rows), rest.next_after) == (100, 0)
    fills = list_breaks_of_run(actor=world.dealer, run=run, at=AT, family="fill")
    assert [row.item.category for row in fills.rows[::2]] == ["quantity", "price", "fee", "duplicate_suspect"]


def test_a_run_of_five_thousand_breaks_costs_what_a_run_of_one_costs(world: DeskWorld) -> None:
    client = browser(worker("r.one", world))
    small, large = make_run(), make_run()
    make_breaks(small, 1, account_id=world.account.pk)
    make_breaks(large, 5_000, account_id=world.account.pk)
    costs = []
    for run in (small, large):
        client.get(f"/recon/{run.pk}")
        with CaptureQueriesContext(connection) as sent:
            shown = text(client.get(f"/recon/{run.pk}"))
        costs.append(len(sent))
    assert costs[0] == costs[1]
    assert ("5,000" in shown, shown.count('data-href="/b/')) == (True, 100)


def test_runs_are_paged_by_key(world: DeskWorld) -> None:
    made = [make_run(at=AT + timedelta(minutes=number)) for number in range(7)]
    ops = worker("r.one", world)
    seen, before = [], ""
    for _ in range(3):
        found = list_runs(actor=ops, at=AT, before=before, limit=3)
        seen += [row.run for row in found.rows]
        before = found.next_before
    assert (seen, before) == (made[::-1], "")
    assert [row.run for row in list_runs(actor=ops, at=AT, kind="cash").rows] == []


def test_a_moving_run_says_how_far_it_is_and_how_long_it_takes(world: DeskWorld) -> None:
    ops = worker("r.one", world)
    run = make_run(
        state="running", done=2_000, total=10_000, step="match", matched=0, started_at=utc_now() - timedelta(seconds=20)
    )
    assert run.started_at is not None
    row = get_run(actor=ops, at=run.started_at + timedelta(seconds=20), run_id=run.pk)
    assert (row.pace, row.left_s) == (100, 80)
    shown = text(browser(ops).get(f"/recon/{run.pk}/progress"))
    assert "2,000 of 10,000" in shown
    assert 'hx-trigger="every 1s"' in shown
    assert 'hx-trigger="every 1s"' not in text(browser(ops).get(f"/recon/{make_run().pk}/progress"))


def test_the_difference_of_two_runs_says_why_each_is_there(world: DeskWorld) -> None:
    earlier, later = make_run(), make_run(at=AT + timedelta(days=1))
    about: dict[str, Any] = {"account_id": world.account.pk}
    agreed, stands, unseen, accepted = make_breaks(earlier, 4, **about)
    saw(later, [stands, accepted])
    accept_break(accepted, AT.date())
    end_break(agreed, sentence="The execution came on Monday.")
    saw(later, [agreed], "closed")
    (new,) = make_breaks(later, 1, **about)
    diff = compare_runs(actor=world.dealer, run=later, other=earlier, at=AT)
    told = {part.title: [(row.item, why) for row, why in part.rows] for part in diff.parts}
    assert told == {
        "New": [(new, "It was not there before.")],
        "Standing": [(stands, "Nothing has changed."), (accepted, "Accepted as timing.")],
        "Gone": [
            (agreed, "Agreed: The execution came on Monday."),
            (unseen, "The later run is about 21 Nov 2026; it is of 20 Nov 2026."),
        ],
    }
    shown = text(browser(world.dealer).get(f"/recon/{later.pk}/difference"))
    assert "The execution came on Monday." in shown
    cash = make_run("cash")
    assert browser(world.dealer).get(f"/recon/{later.pk}/difference?with={cash.pk}").status_code == 400
    assert "no earlier run" in text(browser(world.dealer).get(f"/recon/{cash.pk}/difference"))


def test_ageing_counts_from_when_the_matter_happened(world: DeskWorld) -> None:
    run = make_run()
    about: dict[str, Any] = {"account_id": world.account.pk}
    for hours in (1, 23, 25, 24 * 8, 24 * 40):
        make_breaks(run, 1, event_at=AT - timedelta(hours=hours), **about)
    (waits,) = make_breaks(run, 1, event_at=None, found_at=AT - timedelta(days=4), exposure_currency="USD", **about)
    accept_break(waits, AT.date())
    (row,) = list_ageing(actor=world.dealer, at=AT)
    assert row.buckets == {"today": 2, "1 to 3 days": 1, "3 to 7 days": 1, "7 to 30 days": 1, "older": 1}
    assert (row.total, row.accepted, row.net) == (6, 1, {"GBP": Decimal(231500), "USD": Decimal(46300)})
    make_breaks(run, 1, key="again", recurrence=3, **about)
    (recurrence,) = list_recurrence(actor=world.dealer, at=AT)
    assert (recurrence.found, recurrence.came_back) == (7, 1)
    assert [one.key for one in list_coming_back(actor=world.dealer, at=AT)] == ["again"]


def test_what_is_exported_is_on_record_and_unknown_parts_are_refused(world: DeskWorld) -> None:
    run = make_run(file=make_file())
    make_breaks(run, 1, account_id=world.account.pk)
    client = browser(world.dealer)
    paths = (
        "/recon/export?form=csv", f"/recon/{run.pk}/export?form=xlsx", "/recon/ageing/export?form=csv",
        "/recon/ageing/export?what=recurrence&form=json", "/recon/ageing/export?what=coming-back&form=pdf",
    )  # fmt: skip
    for path in paths:
        assert client.get(path).status_code == 200, path
    assert Event.objects.filter(kind="RecordsExported").count() == len(paths)
    assert client.get("/recon/ageing/export?what=else").status_code == 400
    assert client.get(f"/recon/{run.pk}/difference/export").status_code == 404  # nothing earlier
    assert client.get(f"/recon/{new_id()}").status_code == 404


def test_nothing_changes_by_looking(world: DeskWorld) -> None:
    run = make_run()
    (item,) = make_breaks(run, account_id=world.account.pk)
    client = browser(world.dealer)
    before = list(Break.objects.values()), Event.objects.count()
    for path in ("/recon", f"/recon/{run.pk}?break={item.ref}", f"/b/{item.ref}", "/recon/ageing"):
        text(client.get(path))
    assert (list(Break.objects.values()), Event.objects.count()) == before


def test_an_order_says_in_words_who_asked_and_where_it_went(world: DeskWorld) -> None:
    order_id = captured(world).order_id
    passed = {
        "eligible": False,
        "taken": False,
        "venue": "SIM2",
        "session_group": "SIM2",
        "reason": "does not trade on XLON",
    }
    taken = {"eligible": True, "taken": True, "venue": "XLON", "session_group": "SIM1", "reason": "first of 1"}
    RouteDecision.objects.create(
        order_id=order_id, session_group="SIM1", candidates=[taken, passed], rule_version="route/1", decided_at=AT
    )
    shown = text(browser(world.dealer).get(f"/o/{order_id}"))
    assert '<b>SIM1</b> taken: first of 1 <span class="quiet">venue XLON</span>' in shown
    assert "SIM2 ruled out: does not trade on XLON" in shown
    assert "<dt>New</dt><dd>" + world.dealer.username in shown
    assert not re.search(r"\b(True|False)\b", shown[shown.index('id="h-route"') : shown.index('id="h-changes"')])
