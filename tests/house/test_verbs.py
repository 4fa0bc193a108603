"""Every verb answers in one sentence and the right exit code: 0 holds, 1 finding, 2 bad input, 3 cannot run."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from oms_project.house import bench, check, cli, environment, failures, fsck, paths, pytest_spread, run_tests, status
from oms_project.house.failures import BadInput, CannotRun
from oms_project.house.paths import ROOT, House
from oms_project.house.throwaway import free_ports
from tests.house.support import clean_environment

pytestmark = pytest.mark.house


def oms(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a verb as the launcher would."""
    command = [sys.executable, "-m", "oms_project.house", *arguments]
    environment_ = clean_environment(**variables)
    return subprocess.run(command, cwd=ROOT, env=environment_, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("variable", "first", "named"),
    [
        ("OMS_WEB_PORT", 0, "OMS_WEB_PORT (or --port)"),
        ("OMS_STREAM_PORT", 0, "OMS_STREAM_PORT"),
        ("OMS_FIX_PORT", 1, ""),
    ],
)
def test_a_taken_port_is_named_with_its_variable(tmp_path: Path, variable: str, first: int, named: str) -> None:
    free = free_ports(10 * len(environment.PORTS) + 2)  # also the one before the taken one is free, and no connection's
    others = {name: str(free + 10 * index) for index, name in enumerate(environment.PORTS)}
    port = free + 10 * len(environment.PORTS) + 1
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen(1)
        done = oms("up", OMS_VAR_DIR=str(tmp_path / "var"), **(others | {variable: str(port - first)}))

    assert done.returncode == 3
    assert done.stderr == (
        f"oms: cannot run: Port {port} is taken; set {named or variable} to a free one and start again.\n"
    )
    assert not (tmp_path / "var" / "postgres").exists()


def test_a_port_that_is_none_is_bad_input(tmp_path: Path) -> None:
    done = oms("up", OMS_VAR_DIR=str(tmp_path / "var"), OMS_WEB_PORT="eighty")

    assert (done.returncode, done.stderr) == (2, "oms: OMS_WEB_PORT is 'eighty'; it must be a port number.\n")


def test_two_doors_cannot_share_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_WEB_PORT", "41000")
    monkeypatch.setenv("OMS_STREAM_PORT", "41000")

    with pytest.raises(BadInput, match="Port 41000 is asked for twice, by OMS_WEB_PORT and OMS_STREAM_PORT"):
        environment.check_ports(["OMS_WEB_PORT", "OMS_STREAM_PORT"])


def test_live_needs_a_secret(tmp_path: Path) -> None:
    done = oms("up", "--no-demo", OMS_VAR_DIR=str(tmp_path / "var"))

    assert done.returncode == 3
    assert "Live mode needs OMS_SECRET_KEY_FILE" in done.stderr
    assert not (tmp_path / "var" / "secret_key").exists()


def test_live_needs_the_key_that_signs_seals_and_a_verb_makes_it_once(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a long random text, as far as this test is concerned")
    (tmp_path / "secret").chmod(0o600)
    variables = {"OMS_VAR_DIR": str(tmp_path / "var"), "OMS_SECRET_KEY_FILE": str(tmp_path / "secret")}
    refused = oms("up", "--no-demo", **variables)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "Live mode needs OMS_SEAL_KEY_FILE" in refused.stderr
    assert "is not there" in oms("up", "--no-demo", OMS_SEAL_KEY_FILE=str(tmp_path / "none"), **variables).stderr

    file = tmp_path / "keys" / "seal.pem"
    assert oms("seal-key", "new", str(file)).returncode == 0
    made = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert oms("seal-key", "new", str(file)).returncode == 2
    assert oms("seal-key", "new").returncode == 2
    assert file.read_bytes() == made


def test_the_demo_makes_its_secret_once_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMS_SECRET_KEY_FILE", raising=False)
    house = House(root=ROOT, var=tmp_path)
    path = environment.secret_key_file(house, environment.DEMO)
    assert path is not None
    first = path.read_text()

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(first) >= 64
    assert environment.secret_key_file(house, environment.DEMO) == path
    assert path.read_text() == first


def test_status_of_a_house_that_does_not_run(tmp_path: Path) -> None:
    done = oms("status", "--json", OMS_VAR_DIR=str(tmp_path / "var"), OMS_BUILD="b1")

    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "build": "b1",
        "mode": "demo",
        "trading": False,
        "web_url": "",
        "processes": [],
        "sessions": [],
        "queues": [],
        "fingerprints": [],
        "demo_sign_ins": [],
        "problem": "This house has no data yet; ./oms up makes it.",
    }


def test_sign_ins_are_shown_in_demo_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_MODE", "live")
    monkeypatch.delenv("OMS_DATABASE_URL", raising=False)

    assert "demo_sign_ins" not in status.gather(House(root=ROOT, var=tmp_path))


def test_reset_forgets_only_what_the_house_made(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    (foreign / "run").mkdir(parents=True)
    (foreign / "thesis.txt").write_text("mine")
    house = House(root=ROOT, var=tmp_path / "var")
    house.prepare()
    house.secret_key_file.write_text("x")
    (house.var / "tools").mkdir()

    refused = oms("reset", "--yes", OMS_VAR_DIR=str(foreign))
    unasked = oms("reset", OMS_VAR_DIR=str(house.var))
    assert (refused.returncode, unasked.returncode) == (3, 2)
    assert (foreign / "thesis.txt").exists()
    assert house.secret_key_file.exists()

    done = oms("reset", "--yes", OMS_VAR_DIR=str(house.var))
    assert done.returncode == 0
    assert [path.name for path in house.var.iterdir()] == ["tools"]


def test_bad_input_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scenarios", "/not/there.json"]) == 2
    assert cli.main(["bench", "nonsense"]) == 2
    assert cli.main(["trading", "on", "--reason", " "]) == 2
    assert capsys.readouterr().err.splitlines()[0] == "oms: There is no file /not/there.json."
    with pytest.raises(SystemExit, match="2"):
        cli.main(["dance"])


def test_fsck_needs_a_house_and_knows_its_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = oms("fsck", OMS_VAR_DIR=str(tmp_path / "var"))

    assert (done.returncode, done.stderr) == (3, "oms: cannot run: This house has no data yet; ./oms up makes it.\n")
    with pytest.raises(BadInput, match="There is no check NOPE"):
        fsck.chosen(None, ["SENT_TWICE", "NOPE"])
    assert [check.code for check in fsck.chosen(0, ["SENT_TWICE"])] == ["SENT_TWICE"]
    assert {check.level for check in fsck.chosen(1, [])} == {0, 1}
    with pytest.raises(SystemExit, match="2"):
        cli.main(["fsck", "--level", "7"])


def test_trading_needs_a_house(tmp_path: Path) -> None:
    done = oms("trading", "on", "--reason", "open", OMS_VAR_DIR=str(tmp_path / "var"))

    assert (done.returncode, done.stderr) == (3, "oms: cannot run: This house has no data yet; ./oms up makes it.\n")


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(arguments: Namespace) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(check, "run", full)

    assert cli.main(["check"]) == 3
    assert capsys.readouterr().err == "oms: cannot run: The disk is full; free some space and start again.\n"


def test_a_full_disk_is_recognised_by_what_is_said_or_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = f"The disk is full; free 300 MB at {tmp_path} and start again."
    assert str(failures.cannot("other.", place=tmp_path, text="HINT:  Check free disk space.")) == full
    assert str(failures.cannot("other.", place=tmp_path, text="no such table")) == "other."

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Namespace(free=1024 * 1024))
    assert str(failures.cannot("other.", place=tmp_path, text="no such table")) == full
    with pytest.raises(CannotRun, match=r"nearly full \(1 MB left\); free 300 MB"):
        failures.check_disk(tmp_path)


def test_a_check_that_does_not_hold_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = check.run_one(check.Check("example", (sys.executable, "-c", "print('why'); raise SystemExit(1)")))

    assert (outcome.code, outcome.output) == (1, "why\n")
    assert capsys.readouterr().out.startswith("FAIL example")


def test_pytest_answers_become_exit_codes_of_the_house() -> None:
    assert run_tests.EXIT_CODES == {0: 0, 1: 1, 2: 3, 3: 3, 4: 2, 5: 2}


def test_benchmarks_are_found_by_their_main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "floor.py").write_text('"""Helper."""\n')
    (folder / "capture.py").write_text('"""Real."""\n\n\ndef main(full: bool) -> dict:\n    return {}\n')
    monkeypatch.setattr(bench, "ROOT", tmp_path)

    assert bench.known() == ["capture"]


def test_the_whole_suite_runs_on_three_workers_and_a_part_of_it_as_it_says() -> None:
    assert run_tests.parallel(["-x", "--durations=5"]) == run_tests.WORKERS
    assert run_tests.parallel([str(ROOT / "tests" / "unit")]) == ()
    assert run_tests.parallel([f"{ROOT}/tests/house/test_up.py::test_one"]) == ()
    assert run_tests.parallel(["-n0"]) == ()
    assert [path for path in pytest_spread.FIRST if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_a_browser_ui_tests_are_skipped_counted_and_named(
    tmp_path: Path, ci: str, code: int, workers: str
) -> None:
    test = tmp_path / "test_page.py"
    test.write_text("import pytest\n\n@pytest.mark.ui\ndef test_page(): ...\n\ndef test_plain(): ...\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = ui\n")
    command = [sys.executable, "-m", "pytest", "-p", "oms_project.house.pytest_browser", "-p", "no:django", str(test)]
    command += ["-n", workers]

    done = subprocess.run(
        command,
        env=clean_environment(PATH="/nowhere", CI=ci),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert "1 tests need a browser and were not run" in done.stdout
    assert "test_page.py::test_page" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout.splitlines()[-1]


def test_a_socket_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(root=ROOT, var=tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(paths, "LONGEST_DIRECTORY", 200)
    directory = paths.socket_directory(house, "pg")
    assert directory.parent == tmp_path
    directory.rmdir()
    directory.symlink_to("/")

    with pytest.raises(CannotRun, match="belongs to somebody else"):
        paths.socket_directory(house, "pg")


def test_the_build_is_the_commit_unless_it_was_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OMS_BUILD", raising=False)
    assert environment.build_name(tmp_path) == "unknown"
    monkeypatch.setenv("OMS_BUILD", "2026.1")
    assert environment.build_name(tmp_path) == "2026.1"
    assert os.environ["OMS_BUILD"] == "2026.1"
