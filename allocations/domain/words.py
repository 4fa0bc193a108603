"""The words of allocation: methods, policies, what a line can be, and every code an allocation is refused with. Pure."""

from __future__ import annotations

from enum import StrEnum


class Method(StrEnum):
    """How the quantity of a block is divided. What ``Line.amount`` means follows from it."""

    PRO_RATA = "pro_rata"
    """In proportion to target quantities (units); never above them."""
    WEIGHTS = "weights"
    """In proportion to weights, such as the assets of each account."""
    PERCENTAGE = "percentage"
    """By percentages that sum to 100."""
    FIXED = "fixed"
    """Stated quantities, in whole lots; of a part of them by the partial-fill policy."""
    TARGET_POSITION = "target_position"
    """What brings each account to its target position, given what it has."""
    ROTATION = "rotation"
    """Turns of whole lots in an order that goes on where the last block of the rotation ended."""
    MANUAL = "manual"
    """Quantities as typed: nothing is computed, the sum must be the block."""


class PartialFill(StrEnum):
    """How less than what was intended is divided, within clients and then within the house's own accounts."""

    PRO_RATA = "pro_rata"
    """In proportion to what was intended."""
    IN_ORDER = "in_order"
    """Each line in full, in the order of their places."""
    MINIMUM_FIRST = "minimum_first"
    """Every minimum, largest intentions first, then the rest in proportion to what is open."""


class BelowMinimum(StrEnum):
    """What becomes of a line whose share is below its minimum size."""

    ZERO = "zero"
    """It gets nothing, and its share goes to the others."""
    RAISE = "raise"
    """It gets its minimum, at the expense of the others."""
    IGNORE = "ignore"
    """Minimums are set aside."""


class AllocationCode(StrEnum):
    """Why a block is not allocated as asked. Codes of single lines come with the line."""

    NO_LINES = "NO_LINES"
    NOTHING_EXECUTED = "NOTHING_EXECUTED"
    LINES_AT_FAULT = "LINES_AT_FAULT"
    DUPLICATE_ACCOUNT = "DUPLICATE_ACCOUNT"
    AMOUNT_NEGATIVE = "AMOUNT_NEGATIVE"
    AMOUNT_TOO_FINE = "AMOUNT_TOO_FINE"
    NOT_WHOLE_LOTS = "NOT_WHOLE_LOTS"
    TARGET_BELOW_MINIMUM = "TARGET_BELOW_MINIMUM"
    NOTHING_CLAIMED = "NOTHING_CLAIMED"
    PERCENT_NOT_100 = "PERCENT_NOT_100"
    BLOCK_ABOVE_TARGETS = "BLOCK_ABOVE_TARGETS"
    QUANTITIES_NOT_BLOCK = "QUANTITIES_NOT_BLOCK"
    MINIMUMS_NOT_MET = "MINIMUMS_NOT_MET"
    MINIMUMS_LEAVE_A_REST = "MINIMUMS_LEAVE_A_REST"
    ODD_REST_FITS_NOBODY = "ODD_REST_FITS_NOBODY"
    HOUSE_BEFORE_CLIENTS = "HOUSE_BEFORE_CLIENTS"
    TURN_NOT_SET = "TURN_NOT_SET"


CAPPED = frozenset({Method.PRO_RATA, Method.FIXED, Method.TARGET_POSITION})
"""Methods whose lines claim a quantity: nobody gets more than was claimed, less than one lot aside."""
