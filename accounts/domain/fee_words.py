"""Charges as people call them, on screens and on paper. Pure."""

from __future__ import annotations

CHARGE_WORDS = {
    "fr_ftt": "French FTT",
    "ie_stamp_duty": "Irish stamp duty",
    "ptm_levy": "PTM levy",
    "uk_sdrt": "UK SDRT",
    "us_finra_taf": "FINRA TAF",
    "us_sec_31": "SEC section 31",
}


def charge_words(name: str) -> str:
    """The charge's name; of one that a later schedule brings, its code in words."""
    return CHARGE_WORDS.get(name) or name.replace("_", " ").capitalize()
