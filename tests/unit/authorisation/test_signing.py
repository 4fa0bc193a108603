"""What is signed is one text for one request; the format's page, the house and the client say the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authorisation.domain.api_keys import comes_from, key_terms, room_us, step_us, wait_s
from authorisation.domain.signing import canonical_query, is_signature, read_credentials, signature_of, text_to_sign
from kernel.errors import Invalid
from tests.architecture.house import ROOT
from tests.factories.partners import load_client

oms: Any = load_client()
KEY = "01a21643-0000-7000-8000-000000000001"
REQUEST: dict[str, Any] = {
    "method": "POST", "path": "/api/v1/orders", "query": "dry_run=true", "body": b'{"a":1}', "time": 1795680000,
    "nonce": "A" * 24, "key": KEY, "idempotency_key": "k-1",
}  # fmt: skip


def test_the_example_of_the_page_is_true() -> None:
    page = (ROOT / "docs" / "formats" / "partner_api.md").read_text()
    found = re.search(r"^signature ([0-9a-f]{64})$", page, re.M)
    assert found
    assert signature_of("oms_example", text_to_sign(**REQUEST)) == found[1]


@given(
    path=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00%?#"), max_size=30),
    query=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4),
    body=st.binary(max_size=20),
)
def test_the_client_signs_what_the_house_reads(path: str, query: dict[str, str], body: bytes) -> None:
    sent = oms.canonical_query(query)
    signed = oms.signature(
        "secret",
        method="post",
        path=f"/{path}",
        query=sent,
        body=body,
        at=1,
        nonce="n" * 16,
        key_id=KEY,
        idempotency_key="k",
    )
    text = text_to_sign(
        method="POST", path=f"/{path}", query=sent, body=body, time=1, nonce="n" * 16, key=KEY, idempotency_key="k"
    )
    assert is_signature("secret", text, signed)


CHANGES: dict[str, Any] = {
    "method": "PUT", "path": "/api/v1/orders/", "query": "dry_run=false", "body": b"{}", "time": 1795680001,
    "nonce": "B" * 24, "key": KEY[:-1] + "2", "idempotency_key": "k-2",
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_every_part_is_signed(name: str) -> None:
    assert not is_signature(
        "s", text_to_sign(**REQUEST | {name: CHANGES[name]}), signature_of("s", text_to_sign(**REQUEST))
    )


def test_parts_cannot_flow_into_each_other() -> None:
    texts = {
        text_to_sign(**REQUEST | changed)
        for changed in (
            {"path": "/a", "query": "b=c"}, {"path": "/a?b=c", "query": ""}, {"path": "/a\nb=c", "query": ""},
            {"path": "/a", "query": "b=c%0A"}, {"path": "/a", "query": "b=&c="}, {"path": "/a", "query": "b=%26c%3D"},
        )
    }  # fmt: skip
    assert len(texts) == 6
    assert {text.count(b"\n") for text in texts} == {8}


def test_a_query_means_the_same_in_any_order_and_encoding() -> None:
    assert canonical_query("b=2&a=1&b=1&c=%7e+x") == canonical_query("c=~%20x&b=1&b=2&a=1") == "a=1&b=1&b=2&c=~%20x"
    with pytest.raises(ValueError, match="fields"):
        canonical_query("&".join("a=1" for _ in range(300)))


GOOD = {"key": KEY, "time": "1", "nonce": "n" * 16, "signature": "0" * 64}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "1"),
        ("key", KEY.upper()),
        ("time", "-1"),
        ("time", "1" * 13),
        ("time", "\u0661"),
        ("nonce", "short"),
        ("nonce", "n" * 65),
        ("nonce", "n" * 15 + "="),
        ("signature", "G" * 64),
        ("signature", "0" * 63),
    ],
)
def test_credentials_are_read_strictly(name: str, value: str) -> None:
    assert read_credentials(", ".join(f"{one}={GOOD[one]}" for one in GOOD)).time == 1
    with pytest.raises(ValueError, match="malformed"):
        read_credentials(",".join(f"{one}={(GOOD | {name: value})[one]}" for one in GOOD))


@pytest.mark.parametrize(
    ("addresses", "source", "allowed"),
    [
        ([], "", True),
        (["192.0.2.0/24"], "192.0.2.255", True),
        (["192.0.2.0/24"], "192.0.3.0", False),
        (["192.0.2.0/24"], "", False),
        (["192.0.2.0/24"], "2001:db8::1", False),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["192.0.2.7/32"], "192.0.2.7", True),
    ],
)
def test_addresses(addresses: list[str], source: str, allowed: bool) -> None:
    assert comes_from(addresses, source) is allowed


def test_terms_are_canonical_or_refused_by_field() -> None:
    terms = key_terms(name=" n ", scopes=["orders:write", "orders:read", "orders:read"], addresses=["192.0.2.7"])
    assert (terms.name, terms.scopes, terms.addresses) == ("n", ("orders:read", "orders:write"), ("192.0.2.7/32",))
    with pytest.raises(Invalid) as wrong:
        key_terms(name="", scopes=["all"], addresses=["x"], rate=0, burst=10**6)
    assert set(wrong.value.fields) == {"name", "scopes", "addresses", "rate", "burst"}


def test_a_rate_leaves_a_reserve_for_what_removes_risk() -> None:
    assert room_us(10, 8, removes_risk=False) == 8 * step_us(10)
    assert room_us(10, 8, removes_risk=True) == 13 * step_us(10)
    assert room_us(10, 80, removes_risk=True) == 100 * step_us(10)
    assert wait_s(1_000_000, now_us=0, rate=10, room=500_000) == 1
    assert wait_s(5_000_000, now_us=0, rate=10, room=500_000) == 5
