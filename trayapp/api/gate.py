"""Who may come in: the command line by its token, the window by a cookie it gets for a code.

A code is good once and for a minute, so that nothing of lasting worth stands in an address.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

CODE_S = 60.0
_CODES_KEPT = 100


class Gate:
    """The secrets of one run of a node."""

    def __init__(self, token: str, monotonic_s: Callable[[], float]) -> None:
        """Take the command line's token and a clock that never goes back, in seconds."""
        self._token = token
        self._monotonic_s = monotonic_s
        self._codes: dict[str, float] = {}
        self.cookie = secrets.token_urlsafe(32)
        """What a window holds for as long as the node runs."""

    def new_code(self) -> str:
        """A code for one entry within a minute."""
        now = self._monotonic_s()
        fresh = {code: until for code, until in self._codes.items() if until > now}
        self._codes = dict(list(fresh.items())[-_CODES_KEPT + 1 :])
        code = secrets.token_urlsafe(24)
        self._codes[code] = now + CODE_S
        return code

    def redeem(self, code: str) -> bool:
        """Use a code up; False when it is none, used, or too old."""
        for known, until in list(self._codes.items()):
            if _same(known, code):
                del self._codes[known]
                return self._monotonic_s() < until
        return False

    def lets_in(self, cookie: str | None, authorization: str | None) -> bool:
        """Whether a request brings the cookie or `Bearer TOKEN`."""
        if cookie is not None and _same(cookie, self.cookie):
            return True
        return authorization is not None and _same(authorization, f"Bearer {self._token}")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
