"""The table of rights that do not mix: each pair of the law, and nothing that is fine beside it."""

from __future__ import annotations

import pytest

from authorisation.domain.toxic import HARMLESS, PAIRS, conflicts_of, require_harmless, trigger_rows
from kernel.errors import Refused


@pytest.mark.parametrize(
    ("rights", "code"),
    [
        ({"enter_order", "release_order"}, "DEALER_AND_CHECKER"),
        ({"enter_order", "ask_risk_change"}, "DEALER_AND_LIMITS"),
        ({"enter_order", "decide_risk_change"}, "DEALER_AND_LIMITS"),
        ({"enter_order", "decide_static_data"}, "DEALER_AND_RECONCILIATION"),
        ({"enter_order", "administer_accounts"}, "DEALER_AND_RECONCILIATION"),
        ({"administer_users", "enter_order"}, "ADMINISTRATOR_AND_BUSINESS"),
        ({"administer_users", "release_order"}, "ADMINISTRATOR_AND_BUSINESS"),
        ({"administer_users", "decide_risk_change"}, "ADMINISTRATOR_AND_BUSINESS"),
        ({"administer_users", "cancel_order"}, "ADMINISTRATOR_AND_BUSINESS"),
        ({"administer_users", "review_access"}, "ADMINISTRATOR_AND_REVIEWER"),
        ({"administer_users", "run_access_review"}, "ADMINISTRATOR_AND_REVIEWER"),
    ],
)
def test_what_does_not_mix(rights: set[str], code: str) -> None:
    (found,) = conflicts_of(rights | {"engage_kill_switch"})
    assert (found.code, {found.one, found.other}) == (code, rights)
    with pytest.raises(Refused, match="TOXIC_RIGHTS") as caught:
        require_harmless(rights, holder="a.khan")
    assert caught.value.context["pair"] == code
    assert caught.value.sentence.startswith("a.khan would hold")


@pytest.mark.parametrize(
    "rights",
    [
        set(),
        {"enter_order", "engage_kill_switch"},
        {"release_order", "cancel_order", "ask_risk_change", "decide_risk_change", "decide_static_data"},
        {"ask_static_data", "decide_static_data", "administer_accounts", "judge_price"},
        {"administer_users", "see_access", "engage_kill_switch"},
    ],
)
def test_what_mixes(rights: set[str]) -> None:
    assert conflicts_of(rights) == ()
    require_harmless(rights, holder="x")


def test_every_conflict_is_found_not_only_the_first() -> None:
    found = conflicts_of({"enter_order", "release_order", "ask_risk_change", "administer_users"})
    assert [item.code for item in found] == [
        "DEALER_AND_CHECKER",
        "DEALER_AND_LIMITS",
        *["ADMINISTRATOR_AND_BUSINESS"] * 3,
    ]


def test_the_sides_are_disjoint_and_the_rows_are_all_of_them() -> None:
    for pair in PAIRS:
        assert not pair.one & pair.other
        assert not (pair.one | pair.other) & HARMLESS
    assert len(trigger_rows()) == sum(len(pair.one) * len(pair.other) for pair in PAIRS)
