"""Brothernet: a forum that lives in your tray."""

__version__ = "0.1.0"
