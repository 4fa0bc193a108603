"""Every choice of a scenario is a function of stable keys, never of what was drawn before.

So a choice stays the same when something else is taken out of the scenario, and a failing one can shrink. Pure integer
arithmetic: the same on every machine and in every process.
"""

from __future__ import annotations

from typing import TypeVar
from zlib import crc32

T = TypeVar("T")

_MASK = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15


def word(text: str) -> int:
    """A text as part of a key."""
    return crc32(text.encode())


def draw(*key: int) -> int:
    """64 well mixed bits of a key."""
    x = 0x243F6A8885A308D3
    for part in key:
        x = (x ^ (part & _MASK)) * _ODD & _MASK
        x ^= x >> 29
    x = x * 0xBF58476D1CE4E5B9 & _MASK
    return x ^ (x >> 32)


def below(bound: int, *key: int) -> int:
    """A number from 0 to ``bound`` - 1."""
    return draw(*key) % bound


def pick(options: tuple[T, ...], *key: int) -> T:
    """One of the options."""
    return options[draw(*key) % len(options)]
