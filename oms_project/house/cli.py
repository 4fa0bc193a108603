"""The verbs of ``./oms`` and their options. Exit codes: 0 holds, 1 finding, 2 bad input, 3 cannot run."""

from __future__ import annotations

import argparse
import errno
import importlib
import sys
from collections.abc import Sequence

from oms_project.house import cli_reconciliation
from oms_project.house.failures import BAD_INPUT, CANNOT_RUN, BadInput, CannotRun

# verb -> module with run(arguments) -> exit code; imported only when asked for, so that each verb starts fast
VERBS = {
    "up": "up",
    "test": "run_tests",
    "check": "check",
    "bench": "bench",
    "scenarios": "scenarios",
    "simulate": "simulate",
    "status": "status",
    "replay": "replay",
    "fsck": "fsck",
    "reset": "reset",
    "trading": "trading",
    "kill": "kill",
    "first-run": "first_run",
    "canary": "canary",
    "seal-key": "seal_key",
    "evidence": "evidence",
    "archive": "archive",
    "verify": "verify",
    "end-of-day": "end_of_day",
    "trade-feed": "trade_feed",
    "make-files": "make_files",
    "reconcile": "reconcile",
    "start-of-day": "start_of_day",
    "report": "report",
    "settlement-file": "settlement_file",
    "demo-day": "demo_day",
}


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="oms", description="The house: an order management system in one command.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser("up", help="start everything, with a living demo desk; Ctrl-C stops it")
    up.add_argument("--port", type=int, help="port of the pages, instead of OMS_WEB_PORT")
    up.add_argument("--no-flow", action="store_true", help="a quiet demo desk: no orders but your own")
    up.add_argument("--no-demo", action="store_true", help="live mode: no demo data, trading off, secrets required")
    test = verbs.add_parser("test", help="the whole proof on throw-away servers; options go to pytest", add_help=False)
    test.add_argument("options", nargs=argparse.REMAINDER)
    verbs.add_parser("check", help="the gate: style, types, imports, migrations, generated pages, deployment settings")
    bench = verbs.add_parser("bench", help="measure against a floor in the same run; all benchmarks when none is named")
    bench.add_argument("name", nargs="?", help="one benchmark")
    bench.add_argument("--json", action="store_true", help="one line of JSON for each benchmark, nothing else")
    bench.add_argument("--full", action="store_true", help="at full size")
    scenarios = verbs.add_parser("scenarios", help="run a file of order state scenarios and compare")
    scenarios.add_argument("file")
    scenarios.add_argument("--database", action="store_true", help="through wire messages, services and tables")
    scenarios.add_argument("--twice", action="store_true", help="every message of the venue again, in three ways")
    scenarios.add_argument(
        "--shuffle", type=_seed, metavar="SEED", help="also in a seeded disorder; the end must agree"
    )
    simulate = verbs.add_parser("simulate", help="seeded disorder and crashes, judged by the venue's own truth")
    simulate.add_argument(
        "--seeds", required=True, metavar="A..B", help="which, both ends included; one that fails is told"
    )
    simulate.add_argument("--through", choices=("database",), help="also through services and tables; both must agree")
    simulate.add_argument("--json", action="store_true")
    status = verbs.add_parser("status", help="what runs, how it is, what waits")
    status.add_argument("--json", action="store_true")
    replay = verbs.add_parser("replay", help="rebuild from the journal and compare with the tables")
    which = replay.add_mutually_exclusive_group()
    which.add_argument("--order", metavar="ID", help="one order, by id or reference")
    which.add_argument("--account", metavar="ID", help="one account with its orders, by id or code")
    which.add_argument("--all", action="store_true", help="everything; so without any of the three")
    which.add_argument("--picture", action="store_true", help="the picture, from nothing; its version is put in force")
    replay.add_argument("--compare", action="store_true", help="print each difference; exit 1 when there is one")
    replay.add_argument("--json", action="store_true")
    reset = verbs.add_parser("reset", help="stop the house and forget all of its data")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    canary = verbs.add_parser("canary", help="prove every control by an order that it must refuse")
    canary.add_argument("--json", action="store_true", help="the results as JSON")
    trading = verbs.add_parser("trading", help="switch the sending of new orders on or off")
    trading.add_argument("state", choices=("on", "off"))
    trading.add_argument("--reason", required=True, help="kept with the switch")
    first = verbs.add_parser("first-run", help="two administrators for an empty house, each by a one-time link")
    first.add_argument("names", nargs=2, metavar="NAME", help="who they are, as they will sign in")
    _add_kill(verbs)
    _add_evidence(verbs)
    _add_fsck(verbs)
    cli_reconciliation.add_all(verbs)
    demo_day = verbs.add_parser("demo-day", help="play incidents on the running demo house, each with its answer key")
    demo_day.add_argument("incident", nargs="*", metavar="INCIDENT", help="all of them when none is named")
    demo_day.add_argument("--list", action="store_true", help="name them, play nothing")
    demo_day.add_argument("--seed", type=int, help="of the quantities that tell orders apart")
    demo_day.add_argument("--json", action="store_true")
    feed = verbs.add_parser("trade-feed", help="every trade and what became of it, as lines of JSON or a table")
    feed.add_argument("--after", type=int, default=0, metavar="N", help="behind this position; 0 when absent")
    form = feed.add_mutually_exclusive_group(required=True)
    form.add_argument("--csv", metavar="FILE", help="a table, whole or not there")
    form.add_argument("--json", action="store_true", help="a line of JSON each")
    seal_key = verbs.add_parser("seal-key", help="the key that signs what the journal sealed")
    seal_key.add_argument("action", choices=("new", "show", "rotate"))
    seal_key.add_argument("file", nargs="?", help="where a new key goes")
    return top


def _add_evidence(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evidence = verbs.add_parser("evidence", help="export events, seals and anchors for somebody who trusts nobody")
    evidence.add_argument("directory", help="a new directory; with --pack a new file ending in .zip, .json or .pdf")
    evidence.add_argument(
        "--pack", metavar="KIND/KEY", help="one file: order/REF, approval/ID, limit/ID, stop/ID, person/NAME"
    )
    evidence.add_argument("--order", help="one order, by reference or id; else a run of seals")
    evidence.add_argument("--from-seal", type=int, help="the first seal; 1 when absent")
    evidence.add_argument("--to-seal", type=int, help="the last seal; the newest when absent")
    archive = verbs.add_parser("archive", help="copy every sealed day that is over, and look at all archives")
    archive.add_argument(
        "--whole", action="store_true", help="read every file of every archive, not the manifests alone"
    )
    archive.add_argument("--json", action="store_true")
    verify = verbs.add_parser("verify", help="verify such an export; needs nothing of the house")
    verify.add_argument("directory")
    verify.add_argument("--json", action="store_true")
    verify.add_argument("--trust", help="id or hexadecimal digits of a key you got from elsewhere")
    verify.add_argument("--anchors", help="an anchor file you kept yourself")


def _add_fsck(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fsck = verbs.add_parser("fsck", help="prove the invariants of the house on its own database; only reads")
    fsck.add_argument("--json", action="store_true")
    fsck.add_argument(
        "--level", type=int, choices=range(7), help="as far as this level: 0 guards … 6 the venue's truth"
    )
    fsck.add_argument("--check", action="append", default=[], metavar="CODE", help="only this check; may be repeated")


def _add_kill(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    kill = verbs.add_parser(
        "kill", help="press the kill switch: stop and cancel everything of a scope; or show its proof"
    )
    kill.add_argument(
        "scopes",
        nargs="*",
        metavar="SCOPE=ID",
        help="firm, desk=EQ1, dealer=, client=, account=, strategy=, instrument=, venue=",
    )
    kill.add_argument("--reason", help="kept with the stop")
    kill.add_argument("--as", dest="user", metavar="USER", help="who presses; must have the right")
    kill.add_argument("--wait", type=float, default=15, metavar="S", help="follow the proof for so many seconds (15)")
    kill.add_argument("--proof", metavar="ID", help="what is proven of one stop; exit 1 while something is not")
    kill.add_argument("--json", action="store_true")


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("SEED is a whole number")
    return int(text)


def main(arguments: Sequence[str]) -> int:
    """Run one verb; every failure is one sentence on standard error."""
    # argparse would claim pytest's own options
    for_pytest = arguments[:1] == ["test"]
    parsed = argparse.Namespace(verb="test", options=arguments[1:]) if for_pytest else parser().parse_args(arguments)
    try:
        return int(importlib.import_module(f"oms_project.house.{VERBS[parsed.verb]}").run(parsed))
    except BadInput as problem:
        print(f"oms: {problem}", file=sys.stderr)
        return BAD_INPUT
    except CannotRun as problem:
        print(f"oms: cannot run: {problem}", file=sys.stderr)
        return CANNOT_RUN
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print("oms: cannot run: The disk is full; free some space and start again.", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("oms: stopped.", file=sys.stderr)
        return CANNOT_RUN
