"""Pure rules of reference data: price steps, session phases, settlement dates, price units, identifiers."""
