"""The words people and partner systems use for FIX codes: the lower-case names of the enums."""

from __future__ import annotations

from kernel.fix import OrdType, Side, TimeInForce

SIDES: dict[str, Side] = {one.name.lower(): one for one in Side}
ORD_TYPES: dict[str, OrdType] = {one.name.lower(): one for one in OrdType}
TIMES_IN_FORCE: dict[str, TimeInForce] = {one.name.lower(): one for one in TimeInForce}

SIDE_WORDS: dict[str, str] = {one.value: word for word, one in SIDES.items()}
ORD_TYPE_WORDS: dict[str, str] = {one.value: word for word, one in ORD_TYPES.items()}
TIME_IN_FORCE_WORDS: dict[str, str] = {one.value: word for word, one in TIMES_IN_FORCE.items()}
