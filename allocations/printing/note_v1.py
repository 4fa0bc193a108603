"""Version 1 of the printed note, A4 upright: who, to whom, what replaces what; then each trade; totals; terms. Black on white.

A stored note of this version is drawn by this module for good: whatever changes a mark on the page is the next version.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from allocations.printing.sheet import ALARM, BOLD, MARGIN, QUIET, ROOM, WIDTH, Column, Sheet, pdf_of

MINUS = "\u2212"
RIGHT = WIDTH - MARGIN
HALF = MARGIN + ROOM * 0.56
_NAME, _VALUE = Column(MARGIN, 92), Column(MARGIN + 96, ROOM * 0.56 - 108)
_MONEY_NAME, _MONEY = Column(HALF, 118), Column(RIGHT, 100, right=True)
_FILLS = 3  # columns of executions beside each other

Facts = Mapping[str, Any]


def note_v1(facts: Facts) -> bytes:
    """The note as a PDF."""
    sheet = Sheet()
    _head(sheet, facts)
    sheet.on_new_page = lambda: _repeat(sheet, facts)
    for place, trade in enumerate(facts["trades"], start=1):
        _trade(sheet, trade, f"{place} of {len(facts['trades'])}")
    if len(facts["trades"]) > 1:
        _totals(sheet, facts)
    _terms(sheet, facts)
    return pdf_of(
        sheet,
        title=f"{facts['title']} {facts['number']}",
        author=facts["firm"]["name"],
        subject=f"{facts['account']['code']}, trades of {facts['trade_date']}",
        foot=f"{facts['firm']['name']} · {facts['title']} {facts['number']} · account {facts['account']['code']}",
    )


def figure(text: str, places: int | None = None) -> str:
    """A plain decimal as people read it: grouped, minus as a sign, to ``places`` where they are given."""
    value = Decimal(text)
    shown = f"{value:,}" if places is None else f"{value:,.{places}f}"
    return shown.replace("-", MINUS)


def _head(sheet: Sheet, facts: Facts) -> None:
    firm, ink = facts["firm"], ALARM if facts["cancels"] else 0.0
    top = sheet.y
    sheet.paragraph(firm["name"], face=BOLD, size=12, room=ROOM * 0.52)
    for line in firm["lines"]:
        sheet.paragraph(line, size=8, ink=QUIET, room=ROOM * 0.52)
    low, sheet.y = sheet.y, top
    sheet.write(facts["title"].upper(), x=RIGHT, face=BOLD, size=12, ink=ink, right=True)
    sheet.y += 18
    sheet.write(facts["number"], x=RIGHT, face=BOLD, size=10.5, right=True)
    sheet.y += 15
    for line in (f"Trades of {facts['trade_date']} on {facts['market']['name']}", f"Issued {facts['issued_at']}"):
        sheet.write(line, x=RIGHT, size=8, ink=QUIET, right=True)
        sheet.y += 11
    sheet.y = max(low, sheet.y) + 8
    sheet.rule(weight=1.2, ink=ink)
    sheet.y += 10
    client, account = facts["client"], facts["account"]
    pairs = [("Client", client["name"]), ("Client code", client["code"])]
    pairs += [("LEI", client["lei"])] if client["lei"] else []
    pairs += [
        ("Account", account["code"] if account["name"] == account["code"] else f"{account['code']} {account['name']}")
    ]
    for name, value in pairs:
        sheet.row([(name, _NAME), (value, Column(_VALUE.x, ROOM - 96))], size=9)
    sheet.y += 6
    if facts["statement"]:
        _statement(sheet, facts, ink)


def _statement(sheet: Sheet, facts: Facts, ink: Any) -> None:
    """The sentence that nobody may overlook, and why, in a box."""
    why = f" Reason: {facts['why']}" if facts["why"] else ""
    sheet.y += 4
    top, page = sheet.y, len(sheet.pages)
    sheet.y += 7
    sheet.paragraph(facts["statement"], x=MARGIN + 9, room=ROOM - 18, face=BOLD, size=9.5, ink=ink)
    if why:
        sheet.paragraph(why.strip(), x=MARGIN + 9, room=ROOM - 18, size=8.5)
    sheet.y += 7
    if len(sheet.pages) == page:
        low, sheet.y = sheet.y, top
        sheet.frame(low - top, ink=ink)
        sheet.y = low
    sheet.y += 8


def _repeat(sheet: Sheet, facts: Facts) -> None:
    """What stands at the top of every further page."""
    sheet.write(f"{facts['title']} {facts['number']}, continued", face=BOLD, size=9)
    sheet.write(facts["firm"]["name"], x=RIGHT, size=8, ink=QUIET, right=True)
    sheet.y += 14
    sheet.rule(weight=0.8)
    sheet.y += 9


def _trade(sheet: Sheet, trade: Facts, place: str) -> None:
    sheet.need(150)  # a heading is never alone at the foot
    if sheet.y > sheet.top:
        sheet.rule()
        sheet.y += 7
    sheet.write(f"{trade['side']}  {figure(trade['qty'])}  {trade['symbol']}", face=BOLD, size=11)
    sheet.write(f"Trade {place} · {trade['ref']}", x=RIGHT, size=8, ink=QUIET, right=True)
    sheet.y += 17
    sheet.paragraph(trade["instrument"], face=BOLD, size=9)
    sheet.y += 3
    left, right = _what(trade), _money(trade)
    for name, value in left:
        right_cells = right.pop(0) if right else ("", "")
        sheet.row([(name, _NAME), (value, _VALUE), (right_cells[0], _MONEY_NAME), (right_cells[1], _MONEY)])
    for name, amount in right:
        sheet.row([("", _NAME), ("", _VALUE), (name, _MONEY_NAME), (amount, _MONEY)])
    sheet.y += 2
    sheet.need(16)
    sheet.write(f"{trade['net_label']}, {trade['currency']}", x=HALF, face=BOLD, size=9.5)
    sheet.write(figure(trade["net"], trade["places"]), x=RIGHT, face=BOLD, size=9.5, right=True)
    sheet.y += 15
    for sentence in (trade["settlement"], trade["average"], trade["remark"]):
        if sentence:
            sheet.paragraph(sentence)
    if trade["executions"]:
        _executions(sheet, trade)
    sheet.y += 9


def _what(trade: Facts) -> list[tuple[str, str]]:
    priced = f"{'Average price' if trade['average'] else 'Price'}, {trade['price_unit']}"
    return [
        ("ISIN", trade["isin"]),
        ("Quantity", figure(trade["qty"])),
        (priced, figure(trade["price"])),
        ("Venue", trade["venue"]),
        ("Traded", f"{trade['trade_date']} {trade['time']}"),
        ("Order type", trade["order_type"]),
        ("Capacity", trade["capacity"]),
        ("Settles", trade["settlement_date"]),
        ("Order", ", ".join(trade["orders"]) or "—"),
    ]


def _money(trade: Facts) -> list[tuple[str, str]]:
    """Consideration, every charge by its name, and what they come to together where they are several."""
    places = trade["places"]
    lines = [(f"Consideration, {trade['currency']}", figure(trade["gross"], places))]
    lines += [(one["name"], figure(one["amount"], places)) for one in trade["charges"]]
    if len(trade["charges"]) != 1:
        lines.append(("All charges" if trade["charges"] else "Charges", figure(trade["fees"], places)))
    return lines


def _executions(sheet: Sheet, trade: Facts) -> None:
    """The client's own executions, in columns beside each other, read down."""
    sheet.y += 4
    sheet.need(40)
    sheet.write(f"Executions, times as above, prices in {trade['price_unit']}", face=BOLD, size=8)
    sheet.y += 12
    rows = [trade["executions"][at : at + _FILLS] for at in range(0, len(trade["executions"]), _FILLS)]
    wide = ROOM / _FILLS
    places = max(-int(Decimal(one["price"]).as_tuple().exponent) for one in trade["executions"])
    for row in rows:
        sheet.need(11)
        for place, one in enumerate(row):
            start = MARGIN + place * wide
            sheet.write(one["time"], x=start, size=8)
            sheet.write(figure(one["qty"]), x=start + wide * 0.55, size=8, right=True)
            sheet.write(figure(one["price"], places), x=start + wide - 18, size=8, right=True)
        sheet.y += 11


def _totals(sheet: Sheet, facts: Facts) -> None:
    sheet.need(30 + 14 * len(facts["totals"]))
    sheet.rule(weight=1.2)
    sheet.y += 7
    for total in facts["totals"]:
        sheet.write(f"All {total['trades']} trades in {total['currency']}", face=BOLD, size=9.5)
        sheet.write(f"Charges {figure(total['fees'], total['places'])}", x=HALF + 60, size=8.5, ink=QUIET, right=True)
        sheet.write(
            f"{total['net_label']} {figure(total['net'], total['places'])}", x=RIGHT, face=BOLD, size=9.5, right=True
        )
        sheet.y += 15
    sheet.y += 4


def _terms(sheet: Sheet, facts: Facts) -> None:
    sheet.need(14 * len(facts["terms"]))
    sheet.rule()
    sheet.y += 7
    for sentence in facts["terms"]:
        sheet.paragraph(sentence, size=7.5, ink=QUIET)
        sheet.y += 2
