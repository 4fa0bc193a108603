"""Words and numbers every room shares: ids, FIX enums, decimals, clock, base errors. No Django."""
