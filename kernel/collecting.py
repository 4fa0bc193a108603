"""Making a great many objects at once, without Python looking for garbage among them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collecting() -> Iterator[None]:
    """Leave the garbage collector alone until the end of the block: what is being made is kept, so looking is in vain.

    Use it around one slice of bounded size. Inside another one it changes nothing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
