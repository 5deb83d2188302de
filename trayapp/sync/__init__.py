"""How two nodes agree: sans-IO. No sockets, no store, no clock, no randomness."""
