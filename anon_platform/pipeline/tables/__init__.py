"""Several tables of one policy: treated one after the other, measured together, released together or not at all."""
