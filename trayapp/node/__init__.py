"""The program: the one door for operations, what a person may do, and what faces are told."""
