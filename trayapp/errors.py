"""Every error this program raises on purpose, as one tree.

TrayAppError
├── InvalidOperation         can never be stored, by any node
│   └── BadSignature         signature does not match author and bytes
├── InvalidBody              what a person typed does not fit: too long, empty
├── InvalidInvite            a link that opens no forum
├── InvalidAddress           text that names no machine
├── NotPermitted             this person may not do it here; said before signing
├── NotFound                 no such subnet, thread, post or peer; or two of them
├── NoForum                  nothing started or joined yet in this data directory
├── AlreadyInForum           a second forum needs its own data directory
├── ImportRefused            an archive that cannot be read as one
├── ProtocolError            two nodes disagree about the rules of sync
│   ├── LocalProtocolError   our bug: log it, keep the node running
│   └── RemoteProtocolError  their fault: it costs them the connection
├── PeerUnreachable          normal weather; retried with back-off
├── ChannelClosed            a link that stood is over; carries the close code
├── StoreError               the data directory cannot be used
│   ├── StoreInUse           another node holds it
│   ├── StoreTooNew          written by a newer version
│   ├── StoreReadOnly        the disk or the folder refuses writing
│   ├── StoreFull            no room left on the disk
│   └── StoreDamaged         SQLite or a key file is not what we wrote
├── PortInUse                the address asked for is taken
├── NodeUnreachable          no node answers on this data directory
├── CallRefused              a node said no to a face; carries the node's own code
└── SettingsError            a person can fix this one

`str(error)` is a sentence for a person. `code` is stable and crosses the API.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class TrayAppError(Exception):
    """The root: catch it to show a person `str(error)`."""

    code: ClassVar[str] = "error"


class InvalidOperation(TrayAppError):
    """The bytes are no operation under PROTOCOL.md section 3."""

    code = "invalid_operation"


class BadSignature(InvalidOperation):
    """The author did not sign these bytes for this forum."""

    code = "bad_signature"


class InvalidBody(TrayAppError):
    """A text over its limit, or an empty one where words are needed."""

    code = "invalid_body"


class InvalidInvite(TrayAppError):
    """The link is damaged, foreign, or of a newer version."""

    code = "invalid_invite"


class InvalidAddress(TrayAppError):
    """The text does not name a machine and a port."""

    code = "invalid_address"


class NotPermitted(TrayAppError):
    """Only the author of a post may do this to it."""

    code = "not_permitted"


class NotFound(TrayAppError):
    """The id or prefix names nothing held here, or more than one thing."""

    code = "not_found"


class NoForum(TrayAppError):
    """No forum was started or joined yet."""

    code = "no_forum"

    def __init__(
        self,
        message: str = (
            "No forum here yet. Start one with 'brothernet create NAME' "
            "or join one with 'brothernet join LINK'."
        ),
    ) -> None:
        super().__init__(message)


class AlreadyInForum(TrayAppError):
    """One data directory keeps one forum."""

    code = "already_in_forum"


class ImportRefused(TrayAppError):
    """The archive is missing, broken, or of another kind."""

    code = "import_refused"


class ErrorCode(IntEnum):
    """Why a link ends: PROTOCOL.md section 9; the close code is 4000 + code."""

    BAD_FRAME = 1
    TOO_BIG = 2
    BAD_AUTH = 3
    NOT_MEMBER = 4
    REVOKED = 5
    VERSION = 6
    RATE = 7
    BUSY = 8
    DUPLICATE = 9
    SELF = 10
    CLOCK = 11
    STATE = 13
    TIMEOUT = 15


class ProtocolError(TrayAppError):
    """The rules of sync were broken."""

    code = "protocol_error"


class LocalProtocolError(ProtocolError):
    """We called a pure part in a way its contract forbids."""

    code = "local_protocol_error"


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules; the link is closed with `error_code`."""

    code = "remote_protocol_error"

    def __init__(self, reason: str, error_code: ErrorCode = ErrorCode.BAD_FRAME) -> None:
        super().__init__(reason)
        self.error_code = error_code


class PeerUnreachable(TrayAppError):
    """No link came about: refused, timed out, or not of our forum.

    `error_code` is None where nothing answered; else it says what the answer was: NOT_MEMBER,
    BAD_AUTH, VERSION, SELF, BAD_FRAME, or what the other end gave as its reason.
    """

    code = "peer_unreachable"

    def __init__(self, message: str, error_code: ErrorCode | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code


class ChannelClosed(TrayAppError):
    """The link is over. `close_code` is WebSocket's: 1000, 1006, or 4000 + ErrorCode."""

    code = "channel_closed"

    def __init__(self, close_code: int, reason: str = "") -> None:
        super().__init__(f"The link was closed ({close_code}{': ' * bool(reason)}{reason}).")
        self.close_code = close_code
        self.reason = reason


class StoreError(TrayAppError):
    """The data directory cannot be used as it is."""

    code = "store_error"


class StoreInUse(StoreError):
    """Another node holds the data directory."""

    code = "store_in_use"


class StoreTooNew(StoreError):
    """A newer Brothernet wrote this data directory."""

    code = "store_too_new"


class StoreReadOnly(StoreError):
    """The data directory cannot be written."""

    code = "store_read_only"


class StoreFull(StoreError):
    """The disk is full; nothing was written."""

    code = "store_full"


class StoreDamaged(StoreError):
    """A file of ours does not hold what we wrote into it."""

    code = "store_damaged"


class PortInUse(TrayAppError):
    """The address a person asked us to listen on is taken."""

    code = "port_in_use"


class NodeUnreachable(TrayAppError):
    """No node answers for this data directory."""

    code = "node_unreachable"


class CallRefused(TrayAppError):
    """A node refused a face's call; `refusal` is the code of the node's error."""

    code = "call_refused"

    def __init__(self, refusal: str, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


class SettingsError(TrayAppError):
    """A setting that cannot be used, by name."""

    code = "settings_error"

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"Setting {key!r} {problem}.")
        self.key = key
