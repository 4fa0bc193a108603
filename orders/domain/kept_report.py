"""A report whole, as plain JSON and back: what an unmatched report is kept as until its order is known. Pure.

Unlike the copy that ReportApplied keeps, this one has every field, times and names included: the report is folded from it
later as if it had just come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from kernel.canonical import jsonable
from kernel.fix import ExecType, OrdStatus
from orders.domain.report import Position, Report

_READ: dict[Any, Callable[[Any], Any]] = {
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    ExecType: ExecType,
    OrdStatus: OrdStatus,
    Position: lambda value: Position(*value),
}


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    return next((_READ[one] for one in (kind, *get_args(kind)) if one in _READ), None)


_READERS = {name: _reader(kind) for name, kind in get_type_hints(Report).items()}
_DEFAULTS = {field.name: field.default for field in fields(Report) if field.default is not MISSING}


def kept(report: Report) -> dict[str, Any]:
    """Every field that is not its default."""
    data: dict[str, Any] = {}
    for field in fields(Report):
        value = getattr(report, field.name)
        if field.name == "position":
            data[field.name] = [value.epoch, value.seq]
        elif isinstance(value, datetime | date):
            data[field.name] = value.isoformat()
        elif field.name not in _DEFAULTS or value != _DEFAULTS[field.name]:
            data[field.name] = jsonable(value)
    return data


def report_of(data: Mapping[str, Any]) -> Report:
    """The report again. Raises TypeError for a mapping that never was one."""
    values = {}
    for name, value in data.items():
        read = _READERS.get(name)
        values[name] = value if value is None or read is None else read(value)
    return Report(**values)
