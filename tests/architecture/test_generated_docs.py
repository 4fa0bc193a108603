"""Pages made from the code say what the code says."""

from __future__ import annotations

import re
import subprocess

from oms_project.house.docs import DOCS, stale_pages
from tests.architecture.house import ROOT


def test_generated_pages_are_fresh() -> None:
    assert stale_pages() == [], "run: python -m oms_project.house.docs"


def test_every_page_has_content() -> None:
    for name, render in DOCS.items():
        assert len(render().splitlines()) > 5, name


def test_every_link_between_pages_leads_somewhere() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    dead = []
    for name in listed:
        page = ROOT / name
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                dead.append(f"{name} -> {target}")
    assert dead == []
