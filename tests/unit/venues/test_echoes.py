"""The same answer to the same question is no news."""

from __future__ import annotations

import pytest

from venues.domain.echoes import is_echo, is_status_answer

ANSWER = "8=FIX.4.4|35=8|34=7|52=20261120-10:00:00|37=V1|11=A|150=I|39=0|14=0|790=QA|10=001|"


def raw(text: str) -> str:
    return text.replace("|", "\x01")


@pytest.mark.parametrize(
    ("change", "echo"),
    [
        (("34=7", "34=9"), True),
        (("52=20261120-10:00:00", "52=20261120-10:09:00"), True),
        (("790=QA", "584=R2|911=1|912=Y|790=QA"), True),
        (("790=QA", "790=QB"), False),
        (("39=0", "39=6"), False),
        (("14=0", "14=100"), False),
    ],
)
def test_only_what_says_the_same_again_is_an_echo(change: tuple[str, str], echo: bool) -> None:
    assert is_echo(raw(ANSWER.replace(*change)), raw(ANSWER)) is echo


def test_only_after_a_status_answer() -> None:
    assert not is_echo(raw(ANSWER), raw(ANSWER.replace("150=I", "150=0")))
    assert is_status_answer(raw("35=8|20=3|150=0|"))
    assert not is_status_answer(raw("35=8|58=150=I|"))
