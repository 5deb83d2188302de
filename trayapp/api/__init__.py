"""The loopback door: the calls and events through which every face reaches the node."""
