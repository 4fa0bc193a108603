"""The matrix of every address by caller, as people read it: written from the table that the tests of access are held to.

``UPDATE_ACCESS_MATRIX=1 ./oms test tests/architecture/test_access_matrix.py`` writes it anew.
"""

from __future__ import annotations

import os

from tests.architecture.addresses import ADDRESSES
from tests.architecture.house import ROOT
from tests.factories.doors import CALLERS

PAGE = ROOT / "docs" / "generated" / "access_matrix.md"
WORDS = {"own": "own desk's dealer", "other": "other desk's dealer"}
MEANING = {200: "✔", 201: "✔", 202: "✔", 204: "✔", 302: "→", 303: "→", 401: "who?", 403: "no", 404: "not there"}


HEAD = """Made from `tests/architecture/addresses` by its own test with `UPDATE_ACCESS_MATRIX=1`. Do not edit.

Every address of the house, and what each caller gets who asks for a row of the own desk: ✔ answered, → led on (to the page
or to sign-in), *who?* not known, *no* not allowed, *not there* the row does not exist for the caller; 400 and 422 take more
than the empty form that is sent. A method that is not listed answers 405. Every line is held by `test_access.py`; rows of
another desk, and of another client of the same desk, by `test_hidden_rows.py` and `test_body_rows.py`."""


def word(status: int) -> str:
    """What an answer means, with its status where that says more."""
    return f"{MEANING[status]} {status}" if status in MEANING else str(status)


def matrix() -> str:
    """The page."""
    heads = [WORDS.get(caller, caller) for caller in CALLERS]
    lines = [
        "# Access matrix",
        "",
        *HEAD.splitlines(),
        "",
        f"| method | address | {' | '.join(heads)} |",
        f"|---|---|{'---|' * len(heads)}",
    ]
    for pattern in sorted(ADDRESSES):
        for door in ADDRESSES[pattern]:
            answers = " | ".join(word(status) for status in door.statuses)
            lines.append(f"| {door.method} | `/{pattern}` | {answers} |")
    return "\n".join([*lines, ""])


def test_the_page_says_what_the_table_says() -> None:
    made = matrix()
    if os.environ.get("UPDATE_ACCESS_MATRIX"):
        PAGE.write_text(made)
    assert PAGE.read_text() == made, "write it anew: UPDATE_ACCESS_MATRIX=1"
    assert made.count("\n| ") > 150
