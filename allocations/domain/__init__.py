"""Pure rules of post-trade: who gets what of a block, when two sides agree, what settles. No Django, no clock, no I/O."""
