"""The command line: each command is one call of the node, and its result in print.

It reaches the node through `api.client` alone, and starts one for itself where none runs.
"""
