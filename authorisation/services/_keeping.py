"""Carry out a change of what people hold so that nobody is missing afterwards who must be there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from authorisation.domain.keepers import require_kept
from authorisation.locks import lock_rights
from authorisation.selectors import holders_by_right


@contextmanager
def keeping_holders() -> Iterator[None]:
    """Inside the caller's transaction, under the lock of rights; raises Refused LAST_HOLDER at the end, which undoes it."""
    lock_rights()
    before = holders_by_right()
    yield
    require_kept(before, holders_by_right())
