"""A line of the security log is one line, holds no secret, and never fails."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from authorisation import security_log
from oms_project.logs import JsonFormatter


def line(caplog: pytest.LogCaptureFixture, event: str = "TRIED", **facts: Any) -> tuple[str, dict[str, Any]]:
    caplog.clear()
    with caplog.at_level(logging.INFO, "oms.security"):
        security_log.write(event, **facts)
    (record,) = caplog.records
    text = JsonFormatter().format(record)
    return text, json.loads(text)


def test_a_line_says_what_who_and_from_where(caplog: pytest.LogCaptureFixture) -> None:
    _, told = line(caplog, "SIGN_IN_REFUSED", user="user:7", source="10.1.2.3", level=logging.WARNING, tries=3)
    assert (told["logger"], told["level"], told["message"]) == ("oms.security", "WARNING", "SIGN_IN_REFUSED")
    assert told["facts"] == {"user": "user:7", "source": "10.1.2.3", "tries": 3}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\u0085", "\x1b[2K", "\x00", "\u202e"])
def test_no_text_ends_its_line_or_steers_a_terminal(caplog: pytest.LogCaptureFixture, end: str) -> None:
    forged = f'ada{end}{{"message": "SIGNED_IN"}}'
    text, told = line(caplog, user=forged, name=forged, nested={forged: [forged]})
    assert len(text.splitlines()) == 1
    assert end not in json.dumps(told, ensure_ascii=False)
    assert told["message"] == "TRIED"


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "token", "api_key", "key", "otp", "code", "recovery_codes", "session_key", "Cookie"],
)
def test_what_speaks_of_a_secret_is_masked(caplog: pytest.LogCaptureFixture, name: str) -> None:
    facts: dict[str, Any] = {name: "hunter2", "more": {name: "hunter2"}}
    text, told = line(caplog, **facts)
    assert "hunter2" not in text
    assert (told["facts"][name], told["facts"]["more"][name]) == ("***", "***")


def test_ids_and_reason_codes_are_told(caplog: pytest.LogCaptureFixture) -> None:
    _, told = line(caplog, key_id="k1", reason_code="LOCKED", refusal_code="X", body=b"12345")
    assert told["facts"] == {
        "user": "", "source": "", "key_id": "k1", "reason_code": "LOCKED", "refusal_code": "X", "body": "5 bytes",
    }  # fmt: skip


def test_a_line_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    deep: Any = "x" * 10_000
    for _ in range(50):
        deep = [deep] * 50
    text, told = line(caplog, user="u" * 10_000, deep=deep, **{f"f{n}": "y" * 1000 for n in range(100)})
    assert len(text) < 8_000
    assert told["facts"]["shortened"] is True


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_a_value_that_cannot_be_shown_does_not_shut_the_door(caplog: pytest.LogCaptureFixture) -> None:
    _, told = line(caplog, thing=Unshowable())
    assert told["facts"] == {"user": "", "source": "", "unreadable": True}
