"""Everything that sets Brothernet up, checks it and packs it. Not part of the program."""
