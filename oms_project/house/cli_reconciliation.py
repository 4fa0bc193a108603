"""The options of the verbs of start of day and reconciliation, one function a verb."""

from __future__ import annotations

import argparse

Verbs = argparse._SubParsersAction  # what argparse calls the thing that parsers are added to


def add_all(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Every verb of this page."""
    add_make_files(verbs)
    add_reconcile(verbs)
    add_start_of_day(verbs)
    add_end_of_day(verbs)
    add_report(verbs)
    add_settlement_file(verbs)


def add_make_files(verbs: Verbs[argparse.ArgumentParser]) -> None:
    make = verbs.add_parser(
        "make-files", help="counterpart files of a day from our own books, with known breaks in them"
    )
    make.add_argument("--date", required=True, metavar="DAY", help="the trading day the files are about, as 2026-11-25")
    make.add_argument("--seed", type=int, default=1, help="the same seed and books make the same files (1)")
    make.add_argument(
        "--breaks",
        default="",
        metavar="KIND:COUNT,…",
        help="what to plant: quantity:3,positions.action_ratio:1,cash.amount:2",
    )
    make.add_argument(
        "--kind", default="", metavar="KIND,…", help="which files: orders,executions,positions,cash,…; else all"
    )
    make.add_argument("--out", metavar="DIR", help="where to; else a directory of its own under var/made")
    make.add_argument("--variants", action="store_true", help="also the same files as odd senders would send them")
    make.add_argument("--json", action="store_true")


def add_reconcile(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """The kinds are said here too: the roof's parser knows no rooms."""
    compare = verbs.add_parser(
        "reconcile", help="compare a counterparty's records with ours; every difference with its why"
    )
    compare.add_argument(
        "kind", choices=("orders", "open_orders", "executions", "positions", "cash", "allocations", "settlements")
    )
    compare.add_argument(
        "--source", required=True, metavar="FILE", help="the counterparty's file; docs/formats says which"
    )
    compare.add_argument("--as-of", required=True, metavar="DAY", help="the day it is about, as 2026-11-25")
    compare.add_argument(
        "--from",
        dest="from_",
        default="",
        metavar="WHO",
        help="whose word it is, where the file does not say: XLON, BANK; else by the file's name. Breaks close by their own source",
    )
    compare.add_argument("--format", default="", help="only where the content does not tell it")
    compare.add_argument("--json", action="store_true")


def add_start_of_day(verbs: Verbs[argparse.ArgumentParser]) -> None:
    start = verbs.add_parser(
        "start-of-day", help="take files of accounts, cash, holdings or open orders into the books"
    )
    start.add_argument("--kind", required=True, choices=("accounts", "cash", "holdings", "open_orders"))
    start.add_argument("--source", default="", help="whose word it is; else as the file says itself, else by its name")
    start.add_argument(
        "--feed",
        default="",
        metavar="CODE",
        help="the feed these files answer, as BANK-CASH: its terms judge them, its gate opens",
    )
    start.add_argument("files", nargs="+", metavar="FILE")
    start.add_argument("--json", action="store_true")


def add_end_of_day(verbs: Verbs[argparse.ArgumentParser]) -> None:
    end = verbs.add_parser("end-of-day", help="end a day of business: day orders, positions, seal, snapshot, report")
    end.add_argument(
        "--date", metavar="DAY", help="the day, as 2026-11-25; each market's last that is over when absent"
    )
    end.add_argument("--market", metavar="MIC", help="one market, as XLON; all when absent")
    end.add_argument("--json", action="store_true", help="one object; exit 1 while a day waits for something")


def add_report(verbs: Verbs[argparse.ArgumentParser]) -> None:
    report = verbs.add_parser(
        "report", help="a named report of a day, batch or outage; without a name: which there are"
    )
    report.add_argument("name", nargs="?", default="", metavar="NAME")
    report.add_argument(
        "--date", metavar="DAY", help="as 2026-11-25; else the batch's or the outage's, else today (UTC)"
    )
    report.add_argument("--batch", metavar="ID", help="of a run, a file, or an upload of orders")
    report.add_argument("--outage", metavar="SESSION:N", help="as the report of outages names it")
    report.add_argument("--word", metavar="WORD", help="only rows of this class")
    form = report.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one object with every row")
    form.add_argument("--csv", metavar="FILE", help="write every row as a CSV file")


def add_settlement_file(verbs: Verbs[argparse.ArgumentParser]) -> None:
    settled = verbs.add_parser("settlement-file", help="take in what a custodian says of our settlement instructions")
    settled.add_argument("file", metavar="FILE", help="sese.024 and sese.025, or CSV; docs/formats/settlement.md")
    settled.add_argument("--source", default="", help="whose word it is; else the name of the file's folder")
    settled.add_argument("--json", action="store_true")
