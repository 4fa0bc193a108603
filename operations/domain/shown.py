"""What a checker was shown of a request, so that the decision can be held to it. Pure.

The page hands the parts it drew back with the decision. A decision is held to the terms, to every figure that does not
drift, to checks that answer worse, and to an effect that has grown by more than the tolerance (DOMAIN 23): figures that
move by themselves in an open market hold nobody up, else nothing could be approved in a fast one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from kernel.errors import Invalid
from kernel.numbers import parse_decimal, plain
from operations.domain.effect import Effect, EffectLine
from orders.domain.judging import VALUE_TOLERANCE
from risk.domain.answers import Verdict

MOST = 16_000
_BINDS, _DRIFTS, _GROWS, _CHECK, _AGAINST = "=", "~", "<", "?", "!"
WHAT_IS_ASKED = "What is asked"
OBSTACLE = "What stands against it"

Parts = Mapping[str, str]
"""Sign and name of each part, and what it was: a short digest, a figure, or a check's verdict."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Names of what is not as it was shown. ``binding`` must be looked at before deciding; ``marked`` has all of them."""

    binding: tuple[str, ...] = ()
    marked: frozenset[str] = frozenset()


def parts_of(payload_hash: str, effect: Effect | None) -> dict[str, str]:
    """Everything a decision may be held to, by sign and name."""
    parts = {_BINDS + WHAT_IS_ASKED: payload_hash[:16]}
    if effect is None:
        return parts
    for line in (*effect.fields, *effect.lines):
        parts[_sign(line) + line.label] = _value(line)
    for answer in effect.checks:
        if answer.verdict:
            parts[_CHECK + answer.code] = str(int(answer.verdict))
    if effect.obstacle:
        parts[_AGAINST + OBSTACLE] = _digest(effect.obstacle)
    return parts


def compare(shown: Parts, now: Parts) -> Moves:
    """What has moved between two drawings of one request; what is gone has moved as well."""
    moved = [key for key in dict.fromkeys((*now, *shown)) if _has_moved(key, shown.get(key), now.get(key))]
    binding = tuple(key[1:] for key in moved if key[0] != _DRIFTS)
    drifting = (key[1:] for key in {*now, *shown} if shown.get(key) != now.get(key))
    return Moves(binding, frozenset((*binding, *drifting)))


def _has_moved(key: str, was: str | None, now: str | None) -> bool:
    if key[0] == _CHECK:
        return _verdict(now) > _verdict(was)
    if key[0] == _AGAINST:
        return now is not None and was != now  # one that went away holds nobody up
    if key[0] == _GROWS and was is not None and now is not None:
        before, after = parse_decimal(was), parse_decimal(now)
        return before is None or after is None or after > before * VALUE_TOLERANCE
    return was != now


def _verdict(text: str | None) -> int:
    """A check that is not named passed."""
    return int(text) if text in {str(int(verdict)) for verdict in Verdict} else int(Verdict.PASS)


def _sign(line: EffectLine) -> str:
    if line.drifts:
        return _DRIFTS
    return _BINDS if line.may_grow is None else _GROWS


def _value(line: EffectLine) -> str:
    return plain(line.may_grow) if line.may_grow is not None else _digest(f"{line.now}\x1f{line.then}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def to_text(parts: Parts) -> str:
    """As a form, an address or an API answer carries it: short, and of letters that every address takes."""
    plain_text = json.dumps(dict(parts), separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(zlib.compress(plain_text.encode(), 9)).decode().rstrip("=")


def from_text(text: str) -> Parts:
    """The parts a decision names. Raises Invalid SHOWN_INVALID when they are none of ours."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) <= MOST else b""
        parts = json.loads(zlib.decompressobj().decompress(raw, MOST))
    except (ValueError, zlib.error, RecursionError):
        parts = None
    if not isinstance(parts, dict) or not all(key and isinstance(value, str) for key, value in parts.items()):
        raise Invalid("SHOWN_INVALID", "What was shown is not readable; open the item again.", {"shown": ["Not ours."]})
    return parts


def growing(value: Decimal | None) -> Decimal | None:
    """A figure that may grow, rounded so that its text is short."""
    return None if value is None else round(value, 2)
