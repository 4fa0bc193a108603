"""The fingerprint sees any change of code, and nothing else of the disk."""

from __future__ import annotations

from pathlib import Path

from oms_project.house.fingerprint import code_digest


def test_code_is_seen_by_name_and_content(tmp_path: Path) -> None:
    (tmp_path / "risk").mkdir()
    (tmp_path / "risk" / "a.py").write_text("x = 1\n")
    first = code_digest(tmp_path)
    assert code_digest(tmp_path) == first
    (tmp_path / "risk" / "notes.md").write_text("beside the code")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "b.py").write_text("not of a room")
    assert code_digest(tmp_path) == first
    (tmp_path / "risk" / "a.py").write_text("x = 2\n")
    changed = code_digest(tmp_path)
    (tmp_path / "risk" / "a.py").rename(tmp_path / "risk" / "c.py")
    assert len({first, changed, code_digest(tmp_path)}) == 3
