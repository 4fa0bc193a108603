"""Lines and parameters of a scheme, a form or a request as plain JSON, and what they mean. Pure.

A line is ``{"account": code, <amount>: text, "min_qty": text, "house": bool}``; which amount follows from the method
(:data:`AMOUNT_KEY`). The order of the lines is their place. Parameters are ``lot``, ``price_places``, ``partial``, ``below_minimum``,
``house_needed``; every one has a default, an unknown one is an error: a rule nobody wrote down is not applied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from allocations.domain.lines import RotationMark, Rules, Turns
from allocations.domain.words import BelowMinimum, Method, PartialFill
from kernel.columns import rows_of, worked_out
from kernel.errors import Invalid
from kernel.numbers import MOST_DIGITS, ZERO, parse_decimal, plain

AMOUNT_KEY = {
    Method.PRO_RATA: "target",
    Method.WEIGHTS: "weight",
    Method.PERCENTAGE: "percent",
    Method.FIXED: "qty",
    Method.TARGET_POSITION: "target",
    Method.ROTATION: "turn",
    Method.MANUAL: "qty",
}
LINE_KEYS = frozenset({"account", "min_qty", "house"})
PARAMETERS = ("lot", "price_places", "partial", "below_minimum", "house_needed")
MOST_LINES = 20_000
MOST_PLACES = 12
_LEADING_ZERO = re.compile("^0[0-9]", re.MULTILINE)
LABELS = {
    Method.PRO_RATA: "Pro-rata to target",
    Method.WEIGHTS: "By weight",
    Method.PERCENTAGE: "By percentage",
    Method.FIXED: "Fixed quantities",
    Method.TARGET_POSITION: "To target position",
    Method.ROTATION: "Rotation",
    Method.MANUAL: "Manual",
}
_Word = TypeVar("_Word", bound=StrEnum)


class StatedLine(NamedTuple):
    """A line as it was written down; who the account is, and what it has, is for others to find."""

    account: str
    amount: Decimal
    minimum: Decimal = ZERO
    house: bool = False


class Stated(NamedTuple):
    """Stated lines as columns (:class:`StatedLine`), in their order."""

    accounts: Sequence[str]
    amounts: Sequence[Decimal]
    minimums: Sequence[Decimal]
    houses: Sequence[bool]

    @property
    def rows(self) -> tuple[StatedLine, ...]:
        """Line by line."""
        return tuple(rows_of(StatedLine, *self))


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a scheme is applied. ``lot`` None: the listing's."""

    rules: Rules
    lot: Decimal | None = None


def read_method(text: str) -> Method:
    """The method of that name, or Invalid METHOD_UNKNOWN."""
    try:
        return Method(text)
    except ValueError:
        raise Invalid("METHOD_UNKNOWN", f"A method is one of {', '.join(Method)}.") from None


def read_lines(method: Method, rows: Sequence[Any]) -> tuple[StatedLine, ...]:
    """Lines of a method, or Invalid LINES_INVALID with the sentences of every wrong line by its number."""
    return read_stated(method, rows)[0].rows


def read_stated(method: Method, rows: Sequence[Any]) -> tuple[Stated, Sequence[Mapping[str, Any]]]:
    """Lines as :func:`read_lines` in columns, and as :func:`lines_to_json` writes them: ``rows`` themselves, where they are written so."""
    if len(rows) > MOST_LINES:
        raise Invalid("LINES_INVALID", f"An allocation has at most {MOST_LINES:,} lines.")
    texts = _plain_texts(AMOUNT_KEY[method], rows)
    if texts is not None:
        codes, amounts = texts
        count = len(rows)
        stated = Stated(codes, worked_out(Decimal, amounts), [ZERO] * count, [False] * count)
        return stated, lines_to_json(method, stated.rows) if _LEADING_ZERO.search("\n".join(amounts)) else rows
    wrong: dict[str, list[str]] = {}
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(_line(AMOUNT_KEY[method], row))
        except ValueError as why:
            wrong[f"lines.{number}"] = [str(why)]
    if wrong:
        raise Invalid("LINES_INVALID", f"{len(wrong)} of {len(rows)} lines cannot be read.", fields=wrong)
    columns = ([getattr(line, name) for line in found] for name in StatedLine._fields)
    return Stated(*columns), lines_to_json(method, found)


def _plain_texts(key: str, rows: Sequence[Any]) -> tuple[Sequence[str], Sequence[str]] | None:
    """Accounts and amounts of lines that say an account and a whole number each and nothing else, a column at a time; None: they must
    be read one by one."""
    if set(map(type, rows)) != {dict} or set(map(len, rows)) != {2}:
        return None
    try:
        codes, amounts = zip(*map(itemgetter("account", key), rows), strict=True)
        digits, names = "".join(amounts), "".join(codes)
    except (KeyError, TypeError):
        return None
    if not (names and digits.isascii() and digits.isdigit() and all(codes) and all(amounts)):
        return None
    return (codes, amounts) if max(map(len, amounts)) <= MOST_DIGITS else None


def _line(key: str, row: Any) -> StatedLine:
    if not isinstance(row, Mapping):
        raise ValueError("A line is an object.")
    if len(row) != 2 or key not in row or "account" not in row:
        unknown = row.keys() - LINE_KEYS - {key}
        if unknown:
            raise ValueError(f"A line of this method has no {', '.join(sorted(map(str, unknown)))}.")
    account, house = row.get("account"), row.get("house", False)
    if not isinstance(account, str) or not account:
        raise ValueError("The account is missing.")
    if not isinstance(house, bool):
        raise ValueError("house is true or false.")
    minimum = _number(row["min_qty"], "min_qty") if "min_qty" in row else ZERO
    return StatedLine(account, _number(row.get(key, "0"), key), minimum, house)


def _number(value: Any, name: str) -> Decimal:
    """Text only: a JSON number may have been a float on its way."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS:
        return Decimal(value)
    number = parse_decimal(value) if isinstance(value, str) else None
    if number is None:
        raise ValueError(f"{name} is a number as text.")
    return number


def lines_to_json(method: Method, lines: Sequence[StatedLine]) -> list[dict[str, Any]]:
    """The inverse of :func:`read_lines`: only what a line says is in it."""
    key, found = AMOUNT_KEY[method], []
    for line in lines:
        row: dict[str, Any] = {"account": line.account, key: plain(line.amount)}
        if line.minimum:
            row["min_qty"] = plain(line.minimum)
        if line.house:
            row["house"] = True
        found.append(row)
    return found


def read_parameters(body: Mapping[str, Any]) -> Parameters:
    """Parameters of an allocation, or Invalid PARAMETERS_INVALID by field."""
    unknown = body.keys() - set(PARAMETERS)
    if unknown:
        raise _invalid(", ".join(sorted(map(str, unknown))), "There is no such parameter.")
    house_needed, places = body.get("house_needed", False), body.get("price_places")
    if not isinstance(house_needed, bool):
        raise _invalid("house_needed", "It is true or false.")
    if places is not None and (
        isinstance(places, bool) or not isinstance(places, int) or not 0 <= places <= MOST_PLACES
    ):
        raise _invalid("price_places", f"The average price is exact, or rounded to 0 to {MOST_PLACES} places.")
    lot = parse_decimal(body["lot"]) if isinstance(body.get("lot"), str) else None
    if "lot" in body and (lot is None or lot <= 0 or lot != round(lot, 8)):
        raise _invalid("lot", "A lot is a number above zero as text, of at most eight places.")
    rules = Rules(
        partial=_word(PartialFill, body.get("partial", PartialFill.PRO_RATA), "partial"),
        below_minimum=_word(BelowMinimum, body.get("below_minimum", BelowMinimum.ZERO), "below_minimum"),
        house_needed=house_needed,
        price_places=places,
    )
    return Parameters(rules, lot)


def parameters_to_json(parameters: Parameters) -> dict[str, Any]:
    """The inverse of :func:`read_parameters`: only what is not the default."""
    rules, body = parameters.rules, {}
    if parameters.lot is not None:
        body["lot"] = plain(parameters.lot)
    if rules.partial is not PartialFill.PRO_RATA:
        body["partial"] = rules.partial.value
    if rules.below_minimum is not BelowMinimum.ZERO:
        body["below_minimum"] = rules.below_minimum.value
    return {
        **body,
        **({"house_needed": True} if rules.house_needed else {}),
        **({"price_places": rules.price_places} if rules.price_places is not None else {}),
    }


def mark_to_json(mark: RotationMark) -> dict[str, Any]:
    """Where a rotation goes on, as a booked block keeps it."""
    return {"place": mark.place, "account_id": mark.account_id.hex, "taken": plain(mark.taken)}


def mark_from_json(body: Mapping[str, Any]) -> RotationMark:
    """The inverse of :func:`mark_to_json`."""
    return RotationMark(body["place"], UUID(body["account_id"]), Decimal(body["taken"]))


def turns_to_json(turns: Turns) -> dict[str, Any]:
    """Where a rotation began in a block, as a booked block keeps it."""
    start = mark_to_json(turns.start) if turns.start else None
    return {"scheme": turns.scheme, "start": start, "nth": turns.nth}


def turns_from_json(body: Mapping[str, Any]) -> Turns:
    """The inverse of :func:`turns_to_json`."""
    start = mark_from_json(body["start"]) if body["start"] else None
    return Turns(body["scheme"], start, body["nth"])


def _word(words: type[_Word], text: Any, name: str) -> _Word:
    try:
        return words(text)
    except ValueError:
        raise _invalid(name, f"It is one of {', '.join(words)}.") from None


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid("PARAMETERS_INVALID", f"{name}: {sentence}", fields={name: [sentence]})
