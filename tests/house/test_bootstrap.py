"""The bootstrap: which Python will do, how pip's configuration becomes uv's, and one sentence for each failure."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oms_project.house import bootstrap
from oms_project.house.paths import ROOT

pytestmark = pytest.mark.house


@pytest.mark.parametrize(
    ("version", "implementation", "problem"),
    [
        ((3, 11), "CPython", None),
        ((3, 12), "CPython", None),
        ((3, 13), "CPython", None),
        (
            (3, 10),
            "CPython",
            "Python 3.11 or later is needed and this is CPython 3.10; install python3.11 and start again.",
        ),
        (
            (3, 14),
            "CPython",
            "Python 3.11, 3.12 or 3.13 is needed and this is CPython 3.14; install python3.11 and start again.",
        ),
        (
            (3, 11),
            "PyPy",
            "CPython 3.11, 3.12 or 3.13 is needed and this is PyPy 3.11; install python3.11 and start again.",
        ),
    ],
)
def test_which_python_will_do(version: tuple[int, int], implementation: str, problem: str | None) -> None:
    assert bootstrap.python_problem(version, implementation) == problem


def test_the_cost_of_the_engine_is_said_where_it_must_be_compiled() -> None:
    assert bootstrap.engine_notice((3, 11), "x86_64") is None
    for version, machine in (((3, 12), "x86_64"), ((3, 13), "x86_64"), ((3, 11), "aarch64")):
        notice = bootstrap.engine_notice(version, machine)
        assert notice is not None
        assert "twelve minutes of CPU" in notice
        assert "python3.11" in notice


def test_pip_configuration_is_read_by_precedence() -> None:
    lines = [
        "global.index-url='https://one.example/simple'",
        "install.index-url='https://two.example/simple'",
        "global.extra-index-url='\\nhttps://a.example/simple\\nhttps://b.example/simple'",
        "global.cert='/etc/ssl/ca.pem'",
        ":env:.cert='/other/ca.pem'",
        "freeze.timeout='10'",
        "global.find-links=''",
        "nonsense",
    ]

    assert bootstrap.parse_pip_config(lines) == {
        "index-url": ["https://two.example/simple"],
        "extra-index-url": ["https://a.example/simple", "https://b.example/simple"],
        "cert": ["/other/ca.pem"],
    }


def test_pip_configuration_becomes_uv_variables(tmp_path: Path) -> None:
    wheels, certificate = tmp_path / "wheels", tmp_path / "ca.pem"
    wheels.mkdir()
    certificate.touch()
    config = {
        "index-url": ["https://one.example/simple"],
        "extra-index-url": ["https://a.example/simple", "file:///not/there", f"file://{wheels}"],
        "find-links": [str(wheels), "/not/there/either"],
        "cert": [str(certificate)],
        "trusted-host": ["one.example"],
        "no-index": ["false"],
    }

    answer = bootstrap.uv_environment(config, {"PATH": "/bin", "VIRTUAL_ENV": "/x", "UV_CACHE_DIR": "/c"})

    assert answer == {
        "PATH": "/bin",
        "UV_CACHE_DIR": "/c",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_HTTP_TIMEOUT": "180",
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_INDEX": f"https://a.example/simple file://{wheels}",
        "UV_FIND_LINKS": str(wheels),
        "UV_INSECURE_HOST": "one.example",
        "SSL_CERT_FILE": str(certificate),
    }
    assert "UV_INDEX" not in bootstrap.without_extras(answer)
    assert "UV_FIND_LINKS" not in bootstrap.without_extras(answer)


def test_what_uv_was_told_directly_wins() -> None:
    told = {"UV_DEFAULT_INDEX": "https://mine.example/simple", "SSL_CERT_FILE": "/mine.pem"}
    answer = bootstrap.uv_environment({"index-url": ["https://one.example/simple"], "cert": ["/etc/hosts"]}, told)

    assert answer["UV_DEFAULT_INDEX"] == "https://mine.example/simple"
    assert answer["SSL_CERT_FILE"] == "/mine.pem"


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("error: failed to write: No space left on device (os error 28)", "The disk is full"),
        ("error: Failed to build `quickfix==1.16.0`", "The FIX engine could not be installed"),
        ("error: failed to create directory: Permission denied (os error 13)", "cannot be written"),
        ("error: Hash mismatch for `django==5.2.19`", "does not match its locked hash"),
        ("error: Failed to fetch", "could not be installed"),
    ],
)
def test_each_failure_is_one_sentence(output: str, word: str) -> None:
    sentence = bootstrap.failure_sentence(output, (3, 12))

    assert word in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_a_full_disk_is_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 10 * 1024 * 1024

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage)

    with pytest.raises(bootstrap.CannotRun, match=r"nearly full \(10 MB left\); free 1500 MB"):
        bootstrap.check_disk()


def test_who_wants_no_compiled_files_beside_the_sources_has_them_in_the_environment() -> None:
    place = str(bootstrap.ENVIRONMENT / "compiled")
    wished = {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1"}

    assert bootstrap.with_compiled_kept(wished) == {"PATH": "/bin", "PYTHONPYCACHEPREFIX": place}
    assert bootstrap.with_compiled_kept({**wished, "PYTHONPYCACHEPREFIX": "/mine"})["PYTHONPYCACHEPREFIX"] == "/mine"
    assert bootstrap.with_compiled_kept({"PATH": "/bin"}) == {"PATH": "/bin"}


def test_nothing_is_installed_while_the_stamp_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("embedded.txt", "dev.txt"):
        (tmp_path / name).write_text(f"{name}==1\n")
    stamp = tmp_path / "stamp.json"
    monkeypatch.setattr(bootstrap, "STAMP", stamp)
    monkeypatch.setattr(bootstrap, "environment_works", lambda: True)
    embedded, dev = tmp_path / "embedded.txt", tmp_path / "dev.txt"
    assert not bootstrap.is_current(embedded)

    stamp.write_text(json.dumps({"file": "embedded.txt", "digest": bootstrap.digest(embedded)}))
    assert bootstrap.is_current(embedded)
    assert not bootstrap.is_current(dev)

    stamp.write_text(json.dumps({"file": "dev.txt", "digest": bootstrap.digest(dev)}))
    assert bootstrap.is_current(embedded)

    dev.write_text("dev.txt==2\n")
    assert not bootstrap.is_current(embedded)


def test_the_launcher_names_the_way_out_of_an_old_python(tmp_path: Path) -> None:
    for name in ("dirname", "readlink"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.8.10'\n")
    old.chmod(0o755)

    done = subprocess.run(
        ["/bin/bash", str(ROOT / "oms"), "up"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == (
        "oms: cannot run: Python 3.11, 3.12 or 3.13 is needed and PATH only has Python 3.8.10; "
        "install python3.11 and start again.\n"
    )


def test_the_bootstrap_needs_nothing_but_the_standard_library() -> None:
    command = [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({str(Path(bootstrap.__file__))!r})"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_lock_files_name_no_index() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert "index-url" not in text
        assert "find-links" not in text
        assert "://" not in text
