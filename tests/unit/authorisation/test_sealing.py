"""A kept secret opens with a key of the house, for what it was sealed about, unchanged; or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from authorisation.sealing import is_current, seal, unseal
from kernel.errors import InvariantBroken
from oms_project.settings import sealing_keys

SECRET = b"a secret of 32 bytes, or thereby"


def test_what_was_sealed_opens_again_and_is_not_in_the_text() -> None:
    one, two = seal(SECRET, about="api_key:1"), seal(SECRET, about="api_key:1")
    assert one != two
    assert unseal(one, about="api_key:1") == unseal(two, about="api_key:1") == SECRET
    assert "secret" not in one


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB"),
        lambda text: text[:-8],
        lambda text: text.replace("v1.", "v2."),
        lambda text: "v1.00000000." + text.rsplit(".", 1)[1],
        lambda text: "",
        lambda text: "v1.x",
        lambda text: text + "é",
    ],
)
def test_a_changed_text_never_opens(spoil: Any) -> None:
    with pytest.raises(InvariantBroken, match="SEALED_UNREADABLE"):
        unseal(spoil(seal(SECRET, about="api_key:1")), about="api_key:1")


def test_a_text_of_another_row_does_not_open() -> None:
    with pytest.raises(InvariantBroken, match="SEALED_UNREADABLE"):
        unseal(seal(SECRET, about="api_key:1"), about="api_key:2")


def test_keys_are_replaced_without_losing_what_the_old_one_sealed(settings: Any) -> None:
    settings.SEALING_KEYS = ["o" * 40]
    old = seal(SECRET, about="x")
    settings.SEALING_KEYS = ["n" * 40, "o" * 40]
    assert (unseal(old, about="x"), is_current(old)) == (SECRET, False)
    new = seal(SECRET, about="x")
    assert is_current(new)
    settings.SEALING_KEYS = ["n" * 40]
    assert unseal(new, about="x") == SECRET
    with pytest.raises(InvariantBroken, match="SEALED_UNREADABLE"):
        unseal(old, about="x")


def test_the_file_holds_a_key_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    file.write_text("n" * 40 + "\n\n" + "o" * 40 + "\n")
    monkeypatch.setenv("OMS_SEALING_KEY_FILE", str(file))
    assert sealing_keys() == ["n" * 40, "o" * 40]


@pytest.mark.parametrize("content", ["", "short\n", "n" * 40 + "\nshort"])
def test_a_file_without_a_long_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    monkeypatch.setenv("OMS_SEALING_KEY_FILE", str(file))
    with pytest.raises(ImproperlyConfigured, match="32 characters"):
        sealing_keys()
