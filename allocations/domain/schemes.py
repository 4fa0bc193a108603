"""A saved scheme as it is asked for and told: read strictly, so that what a second person sees is what will divide blocks. Pure.

What a method would refuse of any block whatever (an account twice, percentages that are not 100, a target below its minimum) is refused
when the scheme is asked for, by the same code and in the same words. Whether accounts, desk and block account are there is for others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from uuid import UUID

from allocations.domain.block import Block, from_units
from allocations.domain.claims import claims_of, faults_of
from allocations.domain.lines import Line, Lines, NotAllocated
from allocations.domain.methods import (
    Parameters,
    StatedLine,
    lines_to_json,
    parameters_to_json,
    read_lines,
    read_method,
    read_parameters,
)
from allocations.domain.words import AllocationCode, Method
from kernel.errors import Invalid
from kernel.fix import Side
from kernel.numbers import ZERO

SCHEME = "scheme"
FIELDS = ("code", "name", "desk", "method", "lines", "parameters", "wash_account", "strategy", "books_alone")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,23}")
_NOBODYS = UUID(int=0)
LONGEST_NAME, LONGEST_STRATEGY = 80, 40


def read_scheme(given: Mapping[str, Any]) -> dict[str, Any]:
    """The scheme in its plain form. ``wash_account`` is the code of the account whose default it is, empty for none; ``desk`` the code of
    whose it is, empty for everybody's; ``books_alone`` and ``strategy`` are of a default alone.

    Raises Invalid SCHEME_INVALID, METHOD_UNKNOWN, LINES_INVALID, PARAMETERS_INVALID, or by the code of ``AllocationCode`` the method
    would refuse it with.
    """
    unknown = given.keys() - set(FIELDS)
    if unknown:
        refuse(", ".join(sorted(map(str, unknown))), "There is no such field.")
    code, name = _text(given, "code").upper(), _text(given, "name")
    if not _CODE.fullmatch(code):
        refuse("code", "A code is 2 to 24 capital letters, digits and hyphens.")
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        refuse("name", f"A name has 1 to {LONGEST_NAME} characters.")
    method = read_method(_text(given, "method"))
    if method is Method.MANUAL:
        refuse("method", "Quantities as typed are of one block and no scheme: save fixed quantities, or a proportion.")
    lines = read_lines(method, given.get("lines") or ())
    parameters = read_parameters(given.get("parameters") or {})
    _require_dividing(method, lines, parameters)
    return {
        "code": code,
        "name": name,
        "desk": _text(given, "desk"),
        "method": method.value,
        "lines": lines_to_json(method, lines),
        "parameters": parameters_to_json(parameters),
        **_default(given),
    }


def _default(given: Mapping[str, Any]) -> dict[str, Any]:
    """Whose default it is, of which orders, and whether blocks are booked by it without a person."""
    wash, strategy, alone = _text(given, "wash_account"), _text(given, "strategy"), given.get("books_alone", False)
    if not isinstance(alone, bool):
        refuse("books_alone", "It is true or false.")
    if alone and not wash:
        refuse("books_alone", "Only the default of an account is booked without a person.")
    if strategy and not wash:
        refuse("strategy", "Only the default of an account is that of a strategy.")
    if len(strategy) > LONGEST_STRATEGY or not strategy.isprintable():
        refuse("strategy", f"A strategy has at most {LONGEST_STRATEGY} characters.")
    return {"wash_account": wash, "strategy": strategy, "books_alone": alone}


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        refuse(name, "It is a text.")
    return value.strip()


def _require_dividing(method: Method, stated: Sequence[StatedLine], parameters: Parameters) -> None:
    """Raise what the method would refuse these lines with, whatever the block is."""
    if not stated:
        refuse("lines", "A scheme names at least one account.")
    ids: dict[str, UUID] = {}
    for one in stated:
        ids.setdefault(one.account, UUID(int=len(ids) + 1))
    lines = Lines.of(
        [Line(ids[one.account], one.amount, place, one.minimum, one.house) for place, one in enumerate(stated)]
    )
    block = _any_block(parameters)
    faults = faults_of(method, block, lines, parameters.rules)
    if faults:
        fields: dict[str, list[str]] = {}
        for number, line in enumerate(lines, start=1):
            sentences = [fault.sentence for fault in faults if fault.account_id == line.account_id]
            if sentences:
                fields[f"lines.{number}"] = sorted(set(sentences))
        raise Invalid(faults[0].code.value, f"{len(fields)} of {len(lines)} lines cannot stand in a scheme.", fields)
    if method is Method.ROTATION and not any(line.amount for line in lines):
        raise Invalid(AllocationCode.TURN_NOT_SET.value, "No line of the rotation has a turn.")
    if method in (Method.ROTATION, Method.TARGET_POSITION):
        return
    claimed = claims_of(method, block, lines)
    if isinstance(claimed, NotAllocated):
        raise Invalid(claimed.code.value, claimed.sentence, {"lines": [claimed.sentence]})


def _any_block(parameters: Parameters) -> Block:
    """A block of one unit: in lots of the scheme, else in such as break nothing, because the listing's are not known."""
    lot = parameters.lot or from_units(1)
    return Block(_NOBODYS, Side.BUY, lot, ZERO, ZERO, "", b"", lot=lot)


def refuse(name: str, sentence: str) -> NoReturn:
    """Raise Invalid SCHEME_INVALID about one field."""
    raise Invalid("SCHEME_INVALID", f"{name}: {sentence}", {name: [sentence]})
