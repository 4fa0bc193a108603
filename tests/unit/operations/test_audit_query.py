"""What a text may name, and what a question is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kernel.errors import Invalid
from operations.domain.audit_query import PRESETS, AuditFilter, make_filter, names_in, wanted_of

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 30, 23, tzinfo=UTC)
ONE = UUID("01890000-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("O-2611-004097", ("O-2611-004097",)),
        ("  two words ", ("two words", "two", "words")),
        ("8=FIX.4.4\x0135=8\x0137=B1\x0111=C2\x0141=C1\x0117=E9\x01554=secret\x01", ("B1", "C2", "C1", "E9")),
        ("8=FIX.4.4|35=8|11=C2|58=17=x|", ("C2",)),
        ("35=0|49=US|", ()),
        ("", ()),
        (f"user:{ONE}", (f"user:{ONE}",)),
    ],
)
def test_names(text: str, words: tuple[str, ...]) -> None:
    assert names_in(text).words == words


def test_ids_are_found_among_words() -> None:
    assert names_in(f"event {ONE}").ids == (ONE,)
    assert names_in("x " * 500).words == ("x " * 499 + "x", "x")
    assert len(names_in(" ".join(map(str, range(100)))).words) == 20


def test_a_pasted_message_is_never_kept() -> None:
    asked = make_filter({"q": "35=D|11=C2|554=secret|"}, since=None, until=None)
    assert asked.told() == {"names": "C2"}


def test_questions_nobody_can_answer_are_refused() -> None:
    for data, span in (({"kind": "x"}, None), ({"search": "x"}, None), ({}, AT)):
        with pytest.raises(Invalid):
            make_filter(data, since=span, until=span)


def test_what_a_question_wants() -> None:
    today = wanted_of(AuditFilter(preset="overrides"), actors=(), at=AT, midnight=MIDNIGHT, zone="Europe/London")
    assert (today.since, today.kinds, today.verdict) == (MIDNIGHT, ("AuthorisationDecided",), "approve")
    after = wanted_of(AuditFilter(preset="after-hours"), actors=(), at=AT, midnight=MIDNIGHT, zone="Europe/London")
    assert after.outside == ("07:00", "19:00", "Europe/London")
    assert after.since == AT - timedelta(days=7)
    given = wanted_of(AuditFilter(preset="after-hours", since=AT), actors=(), at=AT, midnight=MIDNIGHT, zone="UTC")
    assert given.since == AT
    assert wanted_of(AuditFilter(kind="limit"), actors=("user:1",), at=AT, midnight=MIDNIGHT, zone="UTC").families == (
        "risk",
        "rulebook",
    )
    for name in PRESETS:
        of_preset = wanted_of(AuditFilter(preset=name), actors=(), at=AT, midnight=MIDNIGHT, zone="UTC")
        assert of_preset.since is not None
        assert MIDNIGHT - timedelta(days=31) < of_preset.since < AT
