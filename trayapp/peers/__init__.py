"""Whom we talk to: finding, reaching and proving the other machines of one forum."""
