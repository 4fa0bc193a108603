"""The security log: who tried a door of the house and what came of it, one line of JSON each on the logger ``oms.security``.

It is for those who watch, today: a line is written whether or not anything commits, and attacks may fill it. What must be
proven for years is an event of the journal besides. Whoever guards a door calls :func:`write`.

Invariants: writing never raises and never waits on the database; a value whose name speaks of a secret is not written;
a value cannot end the line, start another or steer a terminal; no line is longer than about 8 kB.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger("oms.security")

MASK = "***"
LONGEST_TEXT = 300
LONGEST_FACTS = 6_000
MOST_ITEMS = 20
DEEPEST = 2
_SECRET = re.compile(
    r"(^|_)(password|passphrase|secret|token|otp|pin|code|codes|signature|cookie|session_key|private_key|api_key|key"
    r"|nonce|authorization|credential|challenge|seed)$"
)
_NO_SECRET = frozenset({"reason_code", "refusal_code", "status_code", "error_code"})


def write(event: str, *, user: str = "", source: str = "", level: int = logging.INFO, **facts: object) -> None:
    """One line: ``event`` in UPPER_SNAKE, ``user`` as an actor text or the name that was tried, ``source`` an address.

    ``facts`` are small and harmless: ids, counts, refusal codes. Give refusals ``level=logging.WARNING``.
    """
    try:
        told = {name: _clean(name, value, 0) for name, value in list(facts.items())[:MOST_ITEMS]}
        if len(repr(told)) > LONGEST_FACTS:
            told = {"shortened": True, **{name: one for name, one in told.items() if not isinstance(one, dict | list)}}
        extra = {"facts": {"user": _text(user), "source": _text(source), **told}}
    except Exception:  # a value that cannot even be shown must not shut the door it was to be logged at
        extra = {"facts": {"user": "", "source": "", "unreadable": True}}
    logger.log(level, "%s", _text(event), extra=extra)


def _clean(name: str, value: object, depth: int) -> Any:
    lowered = name.lower()
    if lowered not in _NO_SECRET and _SECRET.search(lowered):
        return MASK
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping | list | tuple | set | frozenset) and depth >= DEEPEST:
        return f"{len(value)} items"
    if isinstance(value, Mapping):
        return {_text(key): _clean(str(key), one, depth + 1) for key, one in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", one, depth + 1) for one in list(value)[:MOST_ITEMS]]
    return _text(value)


def _text(value: object) -> str:
    """At most 300 characters, each of them printable: what steers a terminal or a log viewer becomes its number."""
    whole = str(value)
    shown = "".join(one if one.isprintable() else f"<{ord(one):x}>" for one in whole[:LONGEST_TEXT])
    return shown if len(whole) <= LONGEST_TEXT else f"{shown}…"
