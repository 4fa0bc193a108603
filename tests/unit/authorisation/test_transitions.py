"""The model's transitions are the table, no more and no less."""

from __future__ import annotations

from authorisation.domain.four_eyes import _CLOSED_WORDS
from authorisation.domain.transitions import CLOSED, OPEN, PAIRS, TRANSITIONS
from authorisation.models import AuthorisationRequest


def test_the_model_declares_the_table() -> None:
    declared = {
        (found.name, found.source, found.target)
        for found in AuthorisationRequest(state="pending").get_all_state_transitions()
    }
    assert declared == {(row.name, source, row.target) for row in TRANSITIONS for source in row.sources}


def test_states_of_table_model_and_words_agree() -> None:
    assert {*OPEN, *CLOSED} == set(AuthorisationRequest.State.values)
    assert {target for _, target in PAIRS} == {*CLOSED, *OPEN}
    assert set(_CLOSED_WORDS) == CLOSED
    assert {source for source, _ in PAIRS} == set(OPEN)
