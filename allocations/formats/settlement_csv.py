"""Instructions and what custodians say of them as CSV: one line a record, a header, UTF-8, plain decimals, ISO dates.

Reading is strict: a header that is not known makes the whole file unusable, a line that cannot be read is left out and told.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from allocations.domain.instructing import Ticket
from allocations.formats.settlement_xml import plain_money
from allocations.formats.status_records import BadFile, BadLine, StatusLine, line_of
from kernel.numbers import plain

OUT: Final = (
    "ref", "function", "delivery", "isin", "quantity", "amount", "currency", "trade_date", "settlement_date",
    "safekeeping_account", "cash_account", "place", "agent", "counterparty", "previous",
)  # fmt: skip
IN: Final = (
    "our_ref", "status", "their_ref", "quantity", "amount", "currency", "reason_code", "reason", "effective_at",
)  # fmt: skip


def write_tickets(tickets: Sequence[Ticket]) -> str:
    """All tickets of a file, in order."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(OUT)
    for one in tickets:
        writer.writerow(
            (
                one.ref, one.function.value, one.delivery, one.isin, plain(one.qty), plain_money(one), one.currency,
                one.trade_date.isoformat(), one.settlement_date.isoformat(), one.safekeeping_account, one.cash_account,
                one.place, one.agent, one.counterparty, one.previous,
            )
        )  # fmt: skip
    return target.getvalue()


def write_statuses(lines: Sequence[StatusLine]) -> str:
    """The inverse of :func:`read_statuses`: what a custodian's file with these lines would be."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(IN)
    for one in lines:
        qty, amount = ("" if value is None else plain(value) for value in (one.qty, one.amount))
        moment = one.effective_at.isoformat() if one.effective_at else ""
        writer.writerow(
            (one.our_ref, one.status, one.their_ref, qty, amount, one.currency, one.reason_code, one.reason, moment)
        )
    return target.getvalue()


def read_statuses(text: str) -> Iterator[StatusLine | BadLine]:
    """Every line as a status or as what is wrong with it. Raises BadFile where the header is not the agreed one."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if set(header) != set(IN) or len(header) != len(IN):
            missing = ", ".join(sorted(set(IN) - set(header))) or "none"
            raise BadFile("FILE_COLUMNS", f"The columns must be {', '.join(IN)}; missing: {missing}.")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            raw = ",".join(row)
            if len(row) != len(header):
                yield BadLine(reader.line_num, raw, f"The line has {len(row)} values, {len(header)} are expected.")
                continue
            yield line_of(reader.line_num, raw, dict(zip(header, (cell.strip() for cell in row), strict=True)))
    except csv.Error as error:
        raise BadFile("FILE_BROKEN", f"The file is no CSV: {error}.") from error
