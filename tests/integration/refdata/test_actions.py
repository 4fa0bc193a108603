"""Notices: entered, loaded, corrected by versions and called off; never edited, never deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from journal.models import Event
from kernel.errors import Conflict, Invalid, NotPermitted
from refdata.as_at import terms_of
from refdata.domain.import_rows import ImportCode
from refdata.models import CorporateAction, CorporateActionVersion
from refdata.services.announce_action import announce_action
from refdata.services.cancel_action import cancel_action
from refdata.services.correct_action import correct_action
from refdata.services.load_actions import load_actions
from tests.factories import AT, make_listing, make_principal
from tests.factories.actions import announce, approved, clerk, state_of, terms_for

pytestmark = pytest.mark.django_db
ROW = {"source": "AGENT", "reference": "77", "symbol": "VOD.L", "kind": "split", "ex_date": "2026-11-23",
       "ratio_new": "2", "ratio_old": "1", "fractions": "down"}  # fmt: skip


def counts() -> tuple[int, int, int]:
    return CorporateAction.objects.count(), CorporateActionVersion.objects.count(), Event.objects.count()


def test_a_correction_is_a_version_and_keeps_what_was_said() -> None:
    make_listing()
    action_id = announce("cash_dividend")
    with pytest.raises(Conflict) as same:
        correct_action(actor=clerk(), at=AT, action_id=action_id, terms=terms_for("cash_dividend"), reason="again")
    assert same.value.code == "ACTION_UNCHANGED"
    better = terms_for("cash_dividend", amount="0.06")
    assert correct_action(actor=clerk(), at=AT, action_id=action_id, terms=better, reason="typing error") == 2
    versions = CorporateActionVersion.objects.filter(action_id=action_id).order_by("number")
    assert [row.terms["amount"] for row in versions] == ["0.05", "0.06"]
    assert terms_of(CorporateAction.objects.get(id=action_id)) == better
    for sql in ("UPDATE refdata_corporateactionversion SET reason = ''", "DELETE FROM refdata_corporateaction",
                "UPDATE refdata_corporateaction SET state = 'applied'", "UPDATE refdata_corporateaction SET kind = 'split'"):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_what_is_refused_keeps_nothing() -> None:
    make_listing()
    stranger = make_principal("dealer", role="dealer", rights=("enter_order",))
    announce("split", reference="1")
    before = counts()
    good: dict[str, Any] = {
        "actor": clerk(),
        "at": AT,
        "symbol": "VOD.L",
        "terms": terms_for("split"),
        "source": "AGENT",
    }
    for changes, error in (
        ({"actor": stranger, "reference": "2"}, NotPermitted),
        ({"symbol": "NOPE", "reference": "2"}, Invalid),
        ({"terms": terms_for("split", ratio_new="0.5"), "reference": "2"}, Invalid),
        ({"reference": ""}, Invalid),
        ({"reference": "1"}, Conflict),
    ):
        with pytest.raises(error):
            announce_action(**(good | changes))
    assert counts() == before


def test_a_notice_is_called_off_until_it_has_begun() -> None:
    make_listing()
    action_id = approved("split")
    cancel_action(actor=clerk(), at=AT, action_id=action_id, reason="withdrawn by the issuer")
    assert state_of(action_id) == "canceled"
    with pytest.raises(Conflict):
        cancel_action(actor=clerk(), at=AT, action_id=action_id, reason="again")
    with pytest.raises(Conflict) as over:
        correct_action(
            actor=clerk(), at=AT, action_id=action_id, terms=terms_for("split", ratio_new="3"), reason="late"
        )
    assert over.value.code == "ACTION_BEGUN"


def test_a_file_keeps_good_rows_and_names_bad_ones_and_a_second_run_writes_nothing() -> None:
    make_listing()
    rows = [ROW, ROW | {"reference": "78", "symbol": "NOPE"}, ROW | {"reference": "79", "ratio_old": "x"},
            ROW | {"reference": "80", "kind": "cash_dividend"}]  # fmt: skip
    first = load_actions(actor=clerk(), at=AT, rows=rows)
    assert (first.added, first.changed, first.unchanged) == (1, 0, 0)
    assert [(issue.row, issue.column) for issue in first.issues] == [
        (3, "symbol"), (4, "ratio_old"), (5, "amount"), (5, "currency"), (5, "pay_date"),
    ]  # fmt: skip
    assert {issue.code for issue in first.issues} == {ImportCode.ACTION_INVALID}
    before = counts()
    again = load_actions(actor=clerk(), at=AT, rows=rows[:1])
    assert ((again.added, again.changed, again.unchanged), counts()) == ((0, 0, 1), before)
    changed = load_actions(actor=clerk(), at=AT, rows=[ROW | {"ratio_new": "3"}])
    assert (changed.added, changed.changed, changed.unchanged) == (0, 1, 0)
    assert load_actions(actor=clerk(), at=AT, rows=[ROW | {"kind": "reverse_split", "ratio_new": "0.5"}]).issues[0].column == (
        "reference"
    )  # fmt: skip
