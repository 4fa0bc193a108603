"""Reading, writing, masking and explaining FIX text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from venues.domain.fix_codec import (
    decode,
    format_message,
    mask_secrets,
    message_name,
    parse,
    parse_utc_timestamp,
    utc_timestamp,
)
from venues.domain.fix_dictionary import CODE_MEANINGS, FIELD_NAMES


def wire(text: str) -> str:
    return text.replace("|", "\x01")


def test_a_message_is_framed_with_its_length_and_checksum() -> None:
    raw = format_message("FIX.4.4", [(35, "0"), (34, "2"), (49, "A"), (52, "20260101-00:00:00"), (56, "B")])
    assert raw == wire("8=FIX.4.4|9=41|35=0|34=2|49=A|52=20260101-00:00:00|56=B|10=115|")
    assert sum(raw[: raw.rindex("10=")].encode()) % 256 == 115


def test_fields_keep_their_order_and_repeat() -> None:
    assert parse(wire("453=2|448=P1|452=1|448=P2|452=3|58=a=b|")) == (
        (453, "2"), (448, "P1"), (452, "1"), (448, "P2"), (452, "3"), (58, "a=b"),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["35", "x=1|", "=1|", "35=D|junk|"])
def test_text_that_is_not_fix_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a FIX field"):
        parse(wire(text))


def test_passwords_are_masked_before_storage_and_when_shown() -> None:
    raw = wire("8=FIX.4.4|9=5|35=A|95=3|96=abc|553=me|554=secret|925=new|10=000|")
    assert mask_secrets(raw) == wire("8=FIX.4.4|9=5|35=A|95=***|96=***|553=me|554=***|925=***|10=000|")
    assert {f.tag: f.value for f in decode(raw)} == {
        8: "FIX.4.4", 9: "5", 35: "A", 95: "***", 96: "***", 553: "me", 554: "***", 925: "***", 10: "000",
    }  # fmt: skip


def test_decoding_names_fields_and_codes_and_marks_the_unknown() -> None:
    shown = {f.tag: (f.name, f.meaning, f.known) for f in decode(wire("35=8|150=F|39=1|20=1|9702=x|"))}
    assert shown == {
        35: ("MsgType", "ExecutionReport", True),
        150: ("ExecType", "Trade", True),
        39: ("OrdStatus", "PartiallyFilled", True),
        20: ("ExecTransType", "Cancel", True),
        9702: ("Tag9702", "", False),
    }


def test_the_dictionary_holds_both_versions() -> None:
    assert len(FIELD_NAMES) == 947
    assert (FIELD_NAMES[11], FIELD_NAMES[20], FIELD_NAMES[151]) == ("ClOrdID", "ExecTransType", "LeavesQty")
    assert CODE_MEANINGS[150]["L"] == "Triggered"
    assert CODE_MEANINGS[59] == {
        "0": "Day", "1": "GoodTillCancel", "2": "AtTheOpening", "3": "ImmediateOrCancel", "4": "FillOrKill",
        "5": "GoodTillCrossing", "6": "GoodTillDate", "7": "AtTheClose",
    }  # fmt: skip
    assert message_name("AE") == "TradeCaptureReport"
    assert message_name("U7") == "U7"


def test_timestamps() -> None:
    at = datetime(2026, 11, 21, 9, 8, 7, 654321, tzinfo=UTC)
    assert utc_timestamp(at) == "20261121-09:08:07.654"
    assert parse_utc_timestamp("20261121-09:08:07.654321987") == at
    assert parse_utc_timestamp("20261121-09:08:07") == at.replace(microsecond=0)
    assert parse_utc_timestamp("20261121") is None
    assert parse_utc_timestamp("20261121-09:08:07.x") is None
