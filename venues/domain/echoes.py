"""A status answer that says word for word what the venue said last about the same order: asked again, told again.

It proves nothing new, so it is stepped over like a transport duplicate; else a question repeated for hours would fill
the order's history. What differs between two answers of the same content: the session's own fields, times and ids of
question and answer; but the request asked about (790) is content.
"""

from __future__ import annotations

from venues.domain.fix_codec import SOH, Fields, parse

_VOLATILE = frozenset({8, 9, 10, 17, 34, 43, 49, 52, 56, 60, 97, 122, 369, 584, 911, 912})
_STATUS_MARKS = (f"{SOH}150=I{SOH}", f"{SOH}20=3{SOH}")


def is_status_answer(raw: str) -> bool:
    """Whether a message answers a status request, by its raw text (ExecType I, or ExecTransType 3 in 4.2)."""
    return any(mark in raw for mark in _STATUS_MARKS)


def is_echo(raw: str, previous: str) -> bool:
    """Whether a status answer repeats the one before it."""
    return is_status_answer(previous) and _content(parse(raw)) == _content(parse(previous))


def _content(fields: Fields) -> list[tuple[int, str]]:
    return sorted(field for field in fields if field[0] not in _VOLATILE)
