"""The options of the verbs of start of day and reconciliation, one function a verb."""

from __future__ import annotations

import argparse

Verbs = argparse._SubParsersAction  # what argparse calls the thing that parsers are added to


def add_all(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Every verb of this page."""
    add_make_files(verbs)


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
