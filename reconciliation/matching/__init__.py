"""Set-based comparison, one module a kind: SQL finds the records that do not agree at first sight, the pure core judges them."""
