"""What is said: pure data and rules. No I/O, no clock, no randomness."""
