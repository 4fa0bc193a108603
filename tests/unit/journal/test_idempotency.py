"""Which keys are usable, and when a repeated key contradicts."""

from __future__ import annotations

import pytest

from journal.domain.idempotency import check_key, lock_number, require_same
from journal.domain.records import StoredAnswer
from kernel.errors import Conflict, Invalid


@pytest.mark.parametrize("key", ["a", "k" * 200, "0f8b-2c", "with space"])
def test_usable_keys(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 201, "line\nbreak", "ü", "\x00"])
def test_unusable_keys(key: str) -> None:
    with pytest.raises(Invalid) as invalid:
        check_key(key)
    assert invalid.value.code == "IDEMPOTENCY_KEY_INVALID"


def test_the_same_content_is_the_same_answer() -> None:
    answer = StoredAnswer("abc", 201, {"id": 1})
    assert require_same(answer, key="k", payload_hash="abc") is answer
    with pytest.raises(Conflict) as conflict:
        require_same(answer, key="k", payload_hash="abd")
    assert (conflict.value.code, conflict.value.context) == ("IDEMPOTENCY_CONFLICT", {"key": "k"})


def test_lock_numbers_tell_scopes_apart_and_fit_a_bigint() -> None:
    numbers = {lock_number("a", "b"), lock_number("ab"), lock_number("a", "b", ""), lock_number("b", "a")}
    assert len(numbers) == 4
    assert all(-(2**63) <= number < 2**63 for number in numbers)
