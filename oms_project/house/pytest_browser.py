"""A pytest plug-in: skips what needs a browser where there is none, and says so by count and by name."""

from __future__ import annotations

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
REASON = "no browser: install chromium to run this"
_skipped: list[str] = []


def find_browser() -> str | None:
    """Path of an installed Chromium, or None."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked ``ui`` when no browser is installed."""
    if find_browser() is not None:
        return
    for item in items:
        if item.get_closest_marker("ui"):
            item.add_marker(pytest.mark.skip(reason=REASON))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the names of what was skipped for it, also of tests that ran in a worker."""
    if report.skipped and isinstance(report.longrepr, tuple) and REASON in report.longrepr[2]:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In continuous integration a missing browser is a failure, not an excuse."""
    if _skipped and os.environ.get("CI") == "true" and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every test that was not run."""
    if not _skipped:
        return
    terminalreporter.section(f"{len(_skipped)} tests need a browser and were not run")
    for name in _skipped:
        terminalreporter.write_line(name)
