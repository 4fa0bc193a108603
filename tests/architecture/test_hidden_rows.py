"""A row that is not yours answers as one that is not there: same status, same words, whatever the address.

Asked as somebody of another desk, and as somebody of the same desk to whom the account group was not granted.
"""

from __future__ import annotations

import re

import pytest

from kernel.ids import new_id
from tests.architecture.addresses import ADDRESSES, Door
from tests.factories.doors import Doors

ROW = re.compile(
    r"\{d\.(?:own\.account\.code|order\.ref|order\.order_id|approvals\[0\]|exceptions\[0\]|uploads\[0\]|break_ref)\}"
)
OWN_ROWS = [
    door for doors in ADDRESSES.values() for door in doors if ROW.search(door.path) and door.status_for("own") != 405
]
# A stored token, an idempotency key or the id asked for differs from call to call; nothing else may.
NOISE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|value=\"[A-Za-z0-9]{64}\"|\"X-CSRFToken\": \"\w+\"|\d\d:\d\d:\d\d[.\d]*"
    r"|>[\dm ]+s</span> old"  # how long ago a price came
)


def unknown(path: str) -> str:
    """The address of a row that does not exist."""
    return ROW.sub(lambda found: "NOBODY-1" if "ref" in found[0] or "code" in found[0] else str(new_id()), path)


@pytest.mark.parametrize("door", OWN_ROWS, ids=lambda door: f"{door.method} {door.path}")
def test_another_desk_cannot_tell_a_hidden_row_from_none(doors: Doors, door: Door) -> None:
    assert_alike(doors, door, "other")


@pytest.mark.parametrize("caller", ["neighbour", "far_checker"])
@pytest.mark.parametrize(
    "door", [door for door in OWN_ROWS if "uploads" not in door.path], ids=lambda door: f"{door.method} {door.path}"
)
def test_another_account_group_of_the_same_desk_cannot_either(doors: Doors, caller: str, door: Door) -> None:
    assert_alike(doors, door, caller)


def assert_alike(doors: Doors, door: Door, caller: str) -> None:
    hidden_path, unknown_path = door.path_for(doors), unknown(door.path).format(d=doors)
    hidden = doors.call(door.method, hidden_path, door.data(doors), caller=caller)
    none = doors.call(door.method, unknown_path, door.data(doors), caller=caller)
    assert hidden.status_code == none.status_code
    assert text(hidden.content, hidden_path) == text(none.content, unknown_path)
    assert hidden.status_code in (403, 404) or "?" in door.path  # a list leaves out what is not there


def text(content: bytes, path: str) -> str:
    """The answer without what names the address itself."""
    shown = content.decode()
    for part in path.strip("/").split("/"):
        if len(part) > 6:
            shown = shown.replace(part, "…")
    return NOISE.sub("…", shown)
