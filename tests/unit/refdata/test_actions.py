"""What a notice may say, and the one table of its states."""

from __future__ import annotations

import pytest

from refdata.domain.action_terms import read_terms, terms_from_json, terms_to_json
from refdata.domain.action_transitions import PAIRS, STATES, TRANSITIONS
from refdata.models import CorporateAction

SPLIT = {"kind": "split", "ex_date": "2026-11-23", "ratio_new": "2", "ratio_old": "1", "fractions": "down"}
DIVIDEND = {
    "kind": "cash_dividend",
    "ex_date": "2026-11-23",
    "pay_date": "2026-12-04",
    "amount": "0.05",
    "currency": "gbp",
}
NAME = {"kind": "name_change", "ex_date": "2026-11-23", "new_symbol": "vodx.l", "new_venue_symbol": "VODX"}


def test_the_model_declares_the_table() -> None:
    declared = {(one.name, one.source, one.target) for one in CorporateAction().get_all_state_transitions()}
    names = {"check": "check_effect"}
    assert declared == {
        (names.get(one.name, one.name), source, one.target) for one in TRANSITIONS for source in one.sources
    }
    assert set(STATES) == set(CorporateAction.State.values)
    assert len(PAIRS) == len(set(PAIRS))


@pytest.mark.parametrize("cells", [SPLIT, DIVIDEND, NAME, NAME | {"new_isin": "GB00BH4HKS39"}])
def test_good_terms_survive_their_json(cells: dict[str, str]) -> None:
    terms, faults = read_terms(cells)
    assert terms is not None
    assert faults == {}
    assert terms_from_json(terms_to_json(terms)) == terms


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (SPLIT | {"ratio_new": "1", "ratio_old": "2"}, "ratio_new"),
        (SPLIT | {"kind": "reverse_split"}, "ratio_new"),
        (SPLIT | {"ratio_new": "1", "ratio_old": "1"}, "ratio_new"),
        (SPLIT | {"ratio_old": ""}, "ratio_new"),
        (SPLIT | {"ratio_old": "0"}, "ratio_old"),
        (SPLIT | {"ratio_old": "nan"}, "ratio_old"),
        (SPLIT | {"ratio_new": "1000001"}, "ratio_new"),
        (SPLIT | {"fractions": "cash"}, "fraction_px"),
        (SPLIT | {"fractions": "cash", "fraction_px": "3"}, "currency"),
        (SPLIT | {"fractions": "half"}, "fractions"),
        (SPLIT | {"ex_date": ""}, "ex_date"),
        (SPLIT | {"ex_date": "23.11.2026"}, "ex_date"),
        (SPLIT | {"record_date": "2026-11-20"}, "record_date"),
        (DIVIDEND | {"amount": ""}, "amount"),
        (DIVIDEND | {"amount": "-0.05"}, "amount"),
        (DIVIDEND | {"amount": "0.000000001"}, "amount"),
        (DIVIDEND | {"currency": "GBX"}, "currency"),
        (DIVIDEND | {"pay_date": ""}, "pay_date"),
        (DIVIDEND | {"pay_date": "2026-11-20"}, "pay_date"),
        (NAME | {"new_venue_symbol": ""}, "new_venue_symbol"),
        (NAME | {"new_symbol": "", "new_venue_symbol": ""}, "new_symbol"),
        (NAME | {"new_isin": "GB00BH4HKS30"}, "new_isin"),
        (NAME | {"new_symbol": "X" * 25}, "new_symbol"),
        ({"kind": "merger", "ex_date": "2026-11-23"}, "kind"),
    ],
)
def test_bad_terms_name_the_field(cells: dict[str, str], field: str) -> None:
    terms, faults = read_terms(cells)
    assert terms is None
    assert field in faults
    assert faults[field].endswith(".")
