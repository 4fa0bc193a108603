"""The files that tell custodians of instructions: made in the transaction that moves the states, kept byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from uuid import UUID

from allocations.domain.instructing import Function, Ticket
from allocations.formats.settlement_csv import write_tickets
from allocations.formats.settlement_xml import write_cancellations, write_instructions
from allocations.models import SettlementFile
from journal.bulk import raw_cursor
from kernel.ids import new_id

_TICKETS = """
SELECT i.id, i.ref, i.delivery, n.isin, i.qty, i.amount, i.currency, i.trade_date, i.settlement_date,
       s.safekeeping_account, s.cash_account, s.place, s.agent, i.counterparty,
       coalesce(p.ref, '')
  FROM allocations_settlementinstruction i
  LEFT JOIN allocations_settlementinstruction p ON p.id = i.replaces_id
  JOIN allocations_standinginstruction s ON s.id = i.standing_id
  JOIN refdata_instrument n ON n.id = i.instrument_id
 WHERE i.id = ANY(%s::uuid[]) ORDER BY s.agent, i.ref
"""


def make_files(
    *, instruction_ids: Sequence[UUID], function: Function, event_id: UUID, at: datetime, isin: str = ""
) -> list[str]:
    """Rows of the files, one XML and one CSV a custodian; returns their places. ``write_settlement_files`` puts them there.

    ``isin``: of all of them, where custodians know them by another than that of now.
    """
    tickets = [replace(one, isin=isin or one.isin) for one in _tickets(instruction_ids, function, at)]
    files: list[SettlementFile] = []
    for agent, group in groupby(tickets, key=lambda ticket: ticket.agent):
        chosen = list(group)
        stem = f"{agent}/{at:%Y%m%d}-{event_id.hex[-16:]}"
        if function is Function.NEW:
            kind, xml = SettlementFile.Kind.SESE_023, write_instructions(chosen, file_id=event_id.hex)
        else:
            kind, xml = SettlementFile.Kind.SESE_020, write_cancellations(chosen, file_id=event_id.hex)
        refs = [ticket.ref for ticket in chosen]
        files.append(_row(f"{stem}.{kind.value}.xml", agent, kind, xml, refs, event_id, at))
        csv_text = write_tickets(chosen)
        files.append(_row(f"{stem}.{function.value}.csv", agent, SettlementFile.Kind.CSV, csv_text, refs, event_id, at))
    SettlementFile.objects.bulk_create(files)
    return [file.place for file in files]


def _tickets(instruction_ids: Sequence[UUID], function: Function, at: datetime) -> list[Ticket]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_TICKETS, [list(instruction_ids)])
        rows = cursor.fetchall()
    return [
        Ticket(
            ref, function, delivery, isin, qty, amount, currency, traded, settles, safe, cash, place, agent, other, at, previous
        )
        for _, ref, delivery, isin, qty, amount, currency, traded, settles, safe, cash, place, agent, other, previous in rows
    ]  # fmt: skip


def _row(
    place: str, agent: str, kind: SettlementFile.Kind, content: str, refs: list[str], event_id: UUID, at: datetime
) -> SettlementFile:
    return SettlementFile(
        id=new_id(), place=place, agent=agent, kind=kind, content=content,
        sha256=hashlib.sha256(content.encode()).hexdigest(), instructions=refs, made_at=at, event_id=event_id,
    )  # fmt: skip
