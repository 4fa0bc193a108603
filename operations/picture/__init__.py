"""The picture process: open orders and money of all accounts, kept current from the journal, proven equal to the tables.

``process`` keeps it and decides when it counts as equal, ``publishing`` tells screens and whoever asks, ``run`` is the
role's entry point.
"""

from operations.picture.process import run
from operations.picture.publishing import channel

__all__ = ["channel", "run"]
