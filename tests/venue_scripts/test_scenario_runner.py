"""``./oms scenarios FILE.json``: output lines, exit codes, and what it refuses to read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orders.domain.fold import fold
from orders.domain.report import Position
from orders.scenario_file import Scenario, Step
from orders.scenario_play import Delivery, House
from orders.scenario_runner import Options, PureHouse, main, report_of, run_file

HERE = Path(__file__).resolve().parent


def scenario(**changes: Any) -> dict[str, Any]:
    """One order, acknowledged and half filled."""
    return {
        "id": "T.1",
        "spec_version": "4.4",
        "group": "T",
        "title": "half filled",
        "steps": [
            {"seq": 1, "n": "1", "dir": "out", "msg": "D", "order": "X", "clordid": "X", "orderqty": 100},
            {
                "seq": 2,
                "n": "2",
                "dir": "in",
                "msg": "8",
                "order": "X",
                "clordid": "X",
                "exectype": "0",
                "ordstatus": "0",
            },
            {
                "seq": 3,
                "n": "3",
                "dir": "in",
                "msg": "8",
                "order": "X",
                "clordid": "X",
                "exectype": "F",
                "ordstatus": "1",
                "orderqty": 100,
                "cumqty": 50,
                "leavesqty": 50,
                "lastqty": 50,
            },
        ],
        "paths": [{"label": "main", "seqs": [1, 2, 3]}, {"label": "short@2", "seqs": [1, 2]}],
        "terminal_state": None,
        **changes,
    }


def run(tmp_path: Path, content: Any, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], list[str]]:
    file = tmp_path / "file.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    code = main([str(file)])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("order_state_scenarios.json", "88 passed, 0 failed"),
        ("more_order_states.json", "81 passed, 0 failed"),
        ("specification_matrices.json", "89 passed, 0 failed"),
    ],
)
def test_the_files_of_the_house_pass(name: str, last: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(HERE / name)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == last
    assert all(line.startswith("ok ") for line in lines[:-1])


@pytest.mark.parametrize("options", [["--twice"], ["--shuffle", "1"], ["--twice", "--shuffle", "2"]])
@pytest.mark.parametrize("name", [file.name for file in sorted(HERE.glob("*.json"))])
def test_the_files_pass_whatever_the_disorder(
    name: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(HERE / name), *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" passed, 0 failed")


class _ByArrival(PureHouse):
    """A house with the classic faults: it goes by the order of arrival and counts what it is told, each time."""

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self.arrived += 1
            report = report_of(delivery)
            place = Position("1", self.arrived)
            late = replace(report, identity=str(self.arrived), position=place, poss_resend=False)
            self._orders["X"] = fold(self._orders["X"], late).facts

    arrived = 0


def _faulty(scenario: Scenario, steps: Sequence[Step]) -> House:
    return _ByArrival(False, frozenset("X"))


def test_a_house_that_counts_twice_fails_only_when_told_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.json"
    file.write_text(json.dumps([scenario()]), encoding="utf-8")
    assert run_file(Options(file), _faulty) == 0
    assert run_file(Options(file, twice=True), _faulty) == 1
    assert capsys.readouterr().out.splitlines()[3:6] == ["FAIL T.1 main", "3 ordstatus 1 2", "3 cumqty 50 200"]


def test_a_house_that_goes_by_arrival_fails_only_in_disorder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restated = scenario()
    restated["steps"] += [
        {
            **restated["steps"][2],
            "seq": 4 + place,
            "n": str(4 + place),
            "exectype": "D",
            "orderqty": quantity,
            "lastqty": 0,
        }
        | {"leavesqty": quantity - 50}
        for place, quantity in enumerate((200, 300))
    ]
    restated["paths"] = [{"label": "main", "seqs": [1, 2, 3, 4, 5]}]
    file = tmp_path / "file.json"
    file.write_text(json.dumps([restated]), encoding="utf-8")
    assert run_file(Options(file), _faulty) == 0
    assert {run_file(Options(file, shuffle=seed), _faulty) for seed in range(5)} == {0, 1}
    assert "5 shuffled-orderqty 300 200" in capsys.readouterr().out.splitlines()


def test_one_line_a_path_and_the_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, [scenario()], capsys) == (0, ["ok T.1 main", "ok T.1 short@2", "2 passed, 0 failed"], [])


def test_an_empty_list_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, [], capsys) == (0, ["0 passed, 0 failed"], [])


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("ordstatus", "2", "3 ordstatus 2 1"),
        ("orderqty", 200, "3 orderqty 200 100"),
        ("cumqty", 60, "3 cumqty 60 50"),
        ("cumqty", 50.5, "3 cumqty 50.5 50"),
        ("leavesqty", 0, "3 leavesqty 0 50"),
        ("clordid", "Z", "3 clordid Z X"),
    ],
)
def test_every_compared_field_can_fail(
    field: str, value: Any, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = scenario()
    wrong["steps"][2][field] = value
    code, out, err = run(tmp_path, [wrong], capsys)
    assert (code, err) == (1, [])
    assert out == ["FAIL T.1 main", line, "ok T.1 short@2", "1 passed, 1 failed"]


def test_numbers_are_derived_from_last_qty_never_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = scenario()
    wrong["steps"][2]["lastqty"] = 49
    _, out, _ = run(tmp_path, [wrong], capsys)
    assert out[:3] == ["FAIL T.1 main", "3 cumqty 50 49", "3 leavesqty 50 51"]


def test_an_anomalous_row_is_fed_and_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = scenario()
    odd["steps"][1] |= {"anomaly": "printed wrong", "leavesqty": 0, "ordstatus": "2", "cumqty": 7}
    assert run(tmp_path, [odd], capsys)[0] == 0


def test_an_order_never_sent_must_not_come_to_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    never = scenario(paths=[{"label": "main", "seqs": [2, 3]}])
    assert run(tmp_path, [never], capsys)[:2] == (0, ["ok T.1 main", "1 passed, 0 failed"])


def _bad(**changes: Any) -> list[dict[str, Any]]:
    return [scenario(**changes)]


def _bad_step(place: int, **changes: Any) -> list[dict[str, Any]]:
    bad = scenario()
    bad["steps"][place] |= changes
    return [bad]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[NaN]",
        '{"id": "T"}',
        "[1]",
        _bad(colour="red"),
        _bad(spec_version="4.3"),
        _bad(title=None),
        _bad(steps=None),
        _bad(paths=[{"label": "main", "seqs": [1, 9]}]),
        _bad(paths=[{"label": "main", "seqs": [1], "why": "x"}]),
        _bad(paths=[{"seqs": [1]}]),
        [scenario(), scenario()],
        _bad_step(1, colour="red"),
        _bad_step(1, exectype="Z"),
        _bad_step(1, ordstatus="Z"),
        _bad_step(1, exectranstype="9"),
        _bad_step(1, msg="7"),
        _bad_step(1, dir="sideways"),
        _bad_step(1, seq=1),
        _bad_step(1, seq="2"),
        _bad_step(1, crosses="yes"),
        _bad_step(1, possresend="maybe"),
        _bad_step(1, cumqty="50"),
        _bad_step(1, cumqty=True),
        _bad_step(1, clordid=7),
        _bad_step(1, n="second"),
        _bad_step(0, tif="Z"),
        _bad_step(0, orderqty=None),
        _bad_step(0, msg="G"),
    ],
)
def test_what_cannot_be_read_is_bad_input(content: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(tmp_path, content, capsys)
    assert (code, out, len(err)) == (2, [], 1)


@pytest.mark.parametrize(
    "argv",
    [[], ["a.json", "b.json"], ["--colour"], ["/nowhere/at/all.json"], ["a.json", "--shuffle"]]
    + [["a.json", "--shuffle", word] for word in ("x", "-1", "1.5")],
)
def test_wrong_arguments_are_bad_input(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1


def test_the_runner_needs_no_django() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from orders.scenario_runner import main; "
        f"code = main([{str(HERE / 'order_state_scenarios.json')!r}]); "
        "sys.exit(code or any(name.split('.')[0] in ('django', 'psycopg') for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE.parents[1], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "88 passed, 0 failed"
