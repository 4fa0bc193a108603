"""A FIX log: trades, busts, corrections and states of orders, from any delimiter; what does not add up is left out by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import open_statement, raw_records
from tests.unit.reconciliation.files import EXAMPLES, codes, read, written
from venues.domain.fix_codec import format_message

EXAMPLE = EXAMPLES / "fix_log.txt"
TRADE = (
    (35, "8"), (49, "XLON"), (56, "OMS"), (34, "3"), (52, "20261125-14:02:10.119"), (37, "LX1"), (11, "A1.1"), (1, "AC1"),
    (17, "E1"), (55, "VOD"), (48, "GB00BH4HKS39"), (22, "4"), (207, "XLON"), (54, "1"), (38, "100"), (32, "60"), (31, "72.5"),
    (14, "60"), (151, "40"), (39, "1"), (60, "20261125-14:02:10"),
)  # fmt: skip


def message(*more: tuple[int, str], version: str = "FIX.4.4", without: int = 0) -> str:
    changed = dict(more)
    fields = [(tag, changed.pop(tag, value)) for tag, value in TRADE if tag != without]
    return format_message(version, [*fields, *[one for one in more if one[0] in changed]])


def test_the_example_gives_trades_a_correction_and_a_bust() -> None:
    rows, statement = read(EXAMPLE, "executions")
    assert [
        (row["exec_id"], row.get("exec_ref_id"), row["exec_type"], row["last_qty"], row["last_px"]) for row in rows
    ] == [
        ("E7001", None, "trade", "1000", "72.34"),
        ("E7002", None, "trade", "200", "72.36"),
        ("E7003", "E7002", "correction", "200", "72.35"),
        ("E7004", "E7001", "bust", "1000", "72.34"),
    ]
    assert rows[0] == {
        "line": "3", "exec_id": "E7001", "exec_type": "trade", "cl_ord_id": "A2611004097.1", "venue_order_id": "LX-88120",
        "account": "AC4471", "isin": "GB00BH4HKS39", "symbol": "VOD", "mic": "XLON", "side": "1", "last_qty": "1000",
        "last_px": "72.34", "currency": "GBP", "commission": "3.62", "fees": "0.5", "trade_date": "2026-11-25",
        "transact_time": "2026-11-25T14:02:10.118Z", "settlement_date": "2026-11-27",
    }  # fmt: skip
    assert (statement.header.source, str(statement.header.statement_date)) == ("XLON", "2026-11-25")
    assert statement.problems.total == 0
    assert statement.notes.counts == {"MESSAGE_IGNORED": 1, "SENT_AGAIN": 1, "NOT_PROVEN_WHOLE": 1}


def test_every_report_is_a_state_of_its_order() -> None:
    rows, _statement = read(EXAMPLE, "orders")
    assert [(row["line"], row["venue_order_id"], row["ord_status"], row["cum_qty"]) for row in rows] == [
        ("2", "LX-88120", "0", "0"),
        ("3", "LX-88120", "1", "1000"),
        ("4", "LX-88120", "1", "1200"),
        ("6", "LX-88120", "1", "1200"),
        ("7", "LX-88120", "1", "200"),
        ("8", "LX-88131", "4", "0"),
    ]


@pytest.mark.parametrize("delimiter", ["\x01", "|", "^A", "<SOH>"])
@pytest.mark.parametrize(
    "prefix", ["", "20261125-14:02:10.120 : ", "2026-11-25 14:02:10,120 INFO in <- ", "<-- ", "<in> "]
)
def test_any_delimiter_and_any_beginning(tmp_path: Path, delimiter: str, prefix: str) -> None:
    text = "".join(f"{prefix}{one}\n" for one in (message((150, "F")), message((150, "F"), (17, "E2"), (34, "4"))))
    rows, statement = read(written(tmp_path, text.replace("\x01", delimiter)), "executions")
    assert [row["exec_id"] for row in rows] == ["E1", "E2"]
    assert statement.problems.total == 0


def test_what_follows_the_checksum_is_the_logs_own_and_its_own_sum_holds(tmp_path: Path) -> None:
    barred = message((150, "F"), (17, "E2"), (58, "a|b")).replace("\x01", "|")
    end = barred.rindex("10=")
    summed = f"{barred[:end]}10={sum(barred[:end].encode()) % 256:03d}|"
    path = written(tmp_path, f"{message((150, 'F'))} (received)\r\n{summed}\r\n")
    rows, statement = read(path, "executions")
    assert [row["exec_id"] for row in rows] == ["E1", "E2"]
    assert statement.problems.total == 0


def test_messages_without_line_ends_are_counted_like_lines(tmp_path: Path) -> None:
    messages = [message((150, "F"), (17, f"E{n}"), (34, str(n))) for n in range(3_000)]
    path = written(tmp_path, "".join(messages))
    rows, _statement = read(path, "executions")
    assert [(row["line"], row["exec_id"]) for row in rows] == [(str(n + 1), f"E{n}") for n in range(3_000)]
    assert raw_records(path, "fix_log", "executions", {2_000}) == {2_000: messages[1_999]}


@pytest.mark.parametrize(
    ("version", "fields", "kind"),
    [
        ("FIX.4.4", [(150, "F")], "trade"),
        ("FIX.4.4", [(150, "H")], "bust"),
        ("FIX.4.4", [(150, "G")], "correction"),
        ("FIXT.1.1", [(150, "F")], "trade"),
        ("FIX.4.2", [(20, "0"), (150, "1")], "trade"),
        ("FIX.4.2", [(20, "0"), (150, "2")], "trade"),
        ("FIX.4.2", [(20, "1"), (150, "1")], "bust"),
        ("FIX.4.2", [(20, "2"), (150, "2")], "correction"),
        ("FIX.4.2", [(20, "3"), (150, "1")], None),
        ("FIX.4.4", [(150, "I")], None),
        ("FIX.4.4", [(150, "7")], None),
        ("FIX.4.4", [(150, "D")], None),
        ("FIX.4.0", [(20, "0")], "trade"),
        ("FIX.4.0", [(20, "1")], "bust"),
        ("FIX.4.0", [(20, "0"), (32, "0")], None),
        ("FIX.4.0", [(20, "3")], None),
        ("FIX.4.4", [(150, "F"), (136, "2"), (137, "1"), (137, "2")], "trade"),
    ],
)
def test_what_is_an_execution(tmp_path: Path, version: str, fields: list[tuple[int, str]], kind: str | None) -> None:
    rows, _statement = read(written(tmp_path, message(*fields, version=version) + "\n"), "executions")
    assert [row["exec_type"] for row in rows] == ([kind] if kind else [])


def test_a_digit_flipped_anywhere_is_noticed(tmp_path: Path) -> None:
    whole = message((150, "F"))
    for at, digit in enumerate(whole):
        if digit.isdigit() and not whole.startswith("8=FIX", at - 6 if at > 6 else 0):
            spoiled = whole[:at] + str((int(digit) + 1) % 10) + whole[at + 1 :]
            path = written(tmp_path, f"{whole}\n{spoiled}\n")
            try:
                rows, statement = read(path, "executions")
            except FileProblem:
                continue
            assert len(rows) == 1, f"{spoiled!r} was taken"
            assert statement.problems.total == 1


@pytest.mark.parametrize("end", [1, 40, 100, -2, -8])
def test_a_cut_message_is_noticed(tmp_path: Path, end: int) -> None:
    path = written(tmp_path, message((150, "F")) + "\n" + message((150, "F"), (17, "E2"))[:end])
    rows, statement = read(path, "executions")
    assert len(rows) == 1
    if end > 20 or end < 0:
        assert codes(statement) in ([(2, "", "FIX_BROKEN")], [(2, "", "FIX_CHECKSUM")], [(2, "", "FIX_BODY_LENGTH")])


def test_a_tag_that_says_two_things_says_nothing(tmp_path: Path) -> None:
    twice = message((150, "F")).replace("32=60\x01", "32=60\x0132=600\x01")
    length = int(twice.split("\x019=")[1].split("\x01")[0])
    body = twice.replace(f"\x019={length}\x01", f"\x019={length + 7}\x01").rsplit("10=", 1)[0]
    rows, statement = read(written(tmp_path, f"{body}10={sum(body.encode()) % 256:03d}\x01\n"), "executions")
    assert (rows, codes(statement)) == ([], [(1, "", "FIX_BROKEN")])
    assert next(iter(statement.problems)).sentence == "Tag 32 stands in it twice, as '60' and '600'."


def test_a_log_without_lengths_and_sums_is_read_and_says_so(tmp_path: Path) -> None:
    bare = [f"8=FIX.4.4|35=8|17=E{n}|150=F|39=1|55=VOD|54=1|32=60|31=72.5|60=20261125-14:02:10|" for n in (1, 2)]
    rows, statement = read(written(tmp_path, "\n".join(bare)), "executions")
    assert ([row["exec_id"] for row in rows], statement.notes.counts["NOT_CHECKSUMMED"]) == (["E1", "E2"], 2)
    rows, statement = read(written(tmp_path, "\n".join([message((150, "F")), *bare])), "executions")
    assert codes(statement) == [(2, "", "FIX_BROKEN"), (3, "", "FIX_BROKEN")], "where others have them it is cut"


@pytest.mark.parametrize("delimiter", [";", " | ", "\\x01", "\\u0001", ","])
def test_fix_with_another_delimiter_is_said_to_be_that(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(FileProblem) as problem:
        read(written(tmp_path, message((150, "F")).replace("\x01", delimiter)), "executions")
    assert (problem.value.code, "fields do not end with SOH" in problem.value.sentence) == ("FILE_FORMAT_UNKNOWN", True)


def test_sent_again_is_dropped_only_with_the_flag_and_the_first_copy(tmp_path: Path) -> None:
    first, again = message((150, "F")), message((150, "F"), (43, "Y"))
    unflagged = message((150, "F"), (34, "9"))
    rows, statement = read(written(tmp_path, f"{again}\n{first}\n{again}\n{unflagged}\n"), "executions")
    assert [row["line"] for row in rows] == ["1", "2", "4"]
    assert statement.notes.counts["SENT_AGAIN"] == 1


def test_the_order_a_venue_does_not_know_is_no_order(tmp_path: Path) -> None:
    unknown = message((150, "I"), (39, "8"), (37, "NONE"))
    rows, statement = read(written(tmp_path, f"{unknown}\n{message((150, 'I'))}\n"), "orders")
    assert [row["venue_order_id"] for row in rows] == ["LX1"]
    assert statement.notes.counts["MESSAGE_IGNORED"] == 1


def test_charges_are_amounts_or_left_empty(tmp_path: Path) -> None:
    fees = ((15, "GBP"), (136, "2"), (137, "1.25"), (138, "GBP"), (139, "4"))
    path = written(
        tmp_path,
        f"{message((150, 'F'), (12, '0.01'), (13, '1'), *fees)}\n"
        f"{message((150, 'F'), (17, 'E2'), (12, '5'), (13, '2'), (15, 'GBP'), (137, '1'), (138, 'USD'))}\n",
    )
    rows, statement = read(path, "executions")
    assert [(row.get("commission"), row.get("fees")) for row in rows] == [("0.6", "1.25"), (None, None)]
    assert statement.notes.counts["CHARGE_NOT_AN_AMOUNT"] == 2


def test_pence_are_the_unit_of_a_price_and_no_charge_is_taken_that_may_be_in_them(tmp_path: Path) -> None:
    lines = [
        message((150, "F"), (17, "E1"), (15, "GBX"), (12, "5"), (479, "GBP"), (136, "1"), (137, "1.25"), (138, "GBP")),
        message((150, "F"), (17, "E2"), (15, "GBp"), (12, "5"), (136, "1"), (137, "1.25")),
        message((150, "F"), (17, "E3"), (15, "EUR"), (12, "5"), (479, "USD")),
        message((150, "F"), (17, "E4"), (15, "gbx")),
    ]
    rows, statement = read(written(tmp_path, "\n".join(lines) + "\n"), "executions")
    assert [(row["currency"], row["last_px"], row.get("commission"), row.get("fees")) for row in rows] == [
        ("GBP", "72.5", "5", "1.25"), ("GBP", "72.5", None, None), ("EUR", "72.5", None, None),
    ]  # fmt: skip
    assert statement.notes.counts["CHARGE_NOT_AN_AMOUNT"] == 3
    assert codes(statement) == [(4, "currency", "CURRENCY_INVALID")]


def test_a_log_of_something_else_is_not_taken_for_cash(tmp_path: Path) -> None:
    with pytest.raises(FileProblem) as problem:
        open_statement(EXAMPLE, "cash")
    assert problem.value.code == "FILE_FORMAT_NOT_OF_KIND"
    with pytest.raises(FileProblem) as problem:
        open_statement(written(tmp_path, "x"), "cash", format="excel")
    assert problem.value.code == "FILE_FORMAT_UNKNOWN"
