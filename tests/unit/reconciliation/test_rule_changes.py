"""What a change of a rule must look like before it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.errors import Invalid
from reconciliation.domain.rule_changes import read_change

POLICY = {
    "kind": "cash",
    "category": "quantity",
    "effect": "block_account",
    "above": "100.50",
    "escalate_after_s": "900",
}
TOLERANCE = {"kind": "cash", "source": "", "field": "write_off", "currency": "GBP", "amount": "10"}
NAME = {"source": "BANK", "what": "account", "theirs": "DE1", "ours": "ACC-1"}


@pytest.mark.parametrize(
    ("rule", "said", "subject"),
    [
        ("policy", POLICY, "policy:cash:quantity"),
        ("tolerance", TOLERANCE, "tolerance:cash::write_off:GBP"),
        ("name", NAME, "name:BANK:account:DE1"),
        ("name", NAME | {"ours": ""}, "name:BANK:account:DE1"),
    ],
)
def test_it_is_named_by_its_scope(rule: str, said: dict[str, str], subject: str) -> None:
    assert read_change(rule, said).subject == subject


def test_amounts_have_one_spelling() -> None:
    assert (
        read_change("policy", POLICY).value["above"]
        == read_change("policy", POLICY | {"above": "100.5"}).value["above"]
    )


@pytest.mark.parametrize(
    ("rule", "said", "field"),
    [
        ("wish", {}, "rule"),
        ("policy", POLICY | {"effect": "nobody_to_block"}, "effect"),
        ("policy", POLICY | {"kind": "accounts"}, "kind"),
        ("policy", POLICY | {"above": "-1"}, "above"),
        ("policy", POLICY | {"above": "NaN"}, "above"),
        ("policy", POLICY | {"escalate_after_s": "0"}, "escalate_after_s"),
        ("policy", POLICY | {"escalate_after_s": "2592001"}, "escalate_after_s"),
        ("tolerance", TOLERANCE | {"currency": ""}, "currency"),
        ("tolerance", TOLERANCE | {"amount": "1e30"}, "amount"),
        ("tolerance", TOLERANCE | {"field": "mood"}, "field"),
        ("name", NAME | {"theirs": " "}, "theirs"),
    ],
)
def test_what_cannot_be_read_is_named_by_field(rule: str, said: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_change(rule, said)
    assert field in raised.value.fields
