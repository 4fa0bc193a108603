"""Pages made from the code say what the code says."""

from __future__ import annotations

from oms_project.house.docs import DOCS, stale_pages


def test_generated_pages_are_fresh() -> None:
    assert stale_pages() == [], "run: python -m oms_project.house.docs"


def test_every_page_has_content() -> None:
    for name, render in DOCS.items():
        assert len(render().splitlines()) > 5, name
