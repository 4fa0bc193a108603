"""Files of custodians: what we send them and what they answer, as ISO 20022 or CSV (``docs/formats/settlement.md``)."""
