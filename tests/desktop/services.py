"""The two parties a tray program talks to on the session bus, as tests play them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Self

from dbus_fast import Message, MessageType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import (
    DBusBool,
    DBusDict,
    DBusInt32,
    DBusSignature,
    DBusStr,
    DBusUInt32,
)
from dbus_fast.service import ServiceInterface, dbus_property, dbus_signal, method

_PATIENCE_S = 20
# A plain None is refused where annotations are deferred: it has no signature.
_Nothing = Annotated[None, DBusSignature("")]
_Texts = Annotated[list[str], DBusSignature("as")]
_FourTexts = Annotated[list[str], DBusSignature("ssss")]
_NumberAndText = Annotated[list[Any], DBusSignature("us")]
_TwoNumbers = Annotated[list[Any], DBusSignature("uu")]


class TrayItem:
    """One icon in the tray and its menu, driven as a host drives them."""

    def __init__(self, bus: MessageBus, owner: str, path: str) -> None:
        self._bus, self._owner, self._path = bus, owner, path

    async def title(self) -> str:
        """What the host shows when the pointer rests on the icon."""
        return str((await self._properties())["Title"])

    async def menu(self) -> list[dict[str, Any]]:
        """The entries of the menu, top to bottom: label, enabled, id."""
        self._menu = str((await self._properties())["Menu"])
        body = await self._call(
            self._menu, "com.canonical.dbusmenu", "GetLayout", "iias", 0, -1, []
        )
        return [_entry(_plain(child)) for child in body[1][2]]

    async def labels(self) -> list[str]:
        """The texts of the menu, without separators."""
        return [entry["label"] for entry in await self.menu() if entry["label"]]

    async def click(self, text: str) -> None:
        """Click the entry that begins with `text`; ids change, so a stale one is looked up anew."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                found = [e for e in await self.menu() if e["label"].startswith(text)]
                assert found, f"no entry {text!r} in {await self.labels()}"
                try:
                    await self._call(
                        self._menu,
                        "com.canonical.dbusmenu",
                        "Event",
                        "isvu",
                        *(found[0]["id"], "clicked", Variant("s", ""), 0),
                    )
                except RuntimeError:
                    await asyncio.sleep(0.05)
                else:
                    return

    async def _properties(self) -> dict[str, Any]:
        (found,) = await self._call(
            self._path,
            "org.freedesktop.DBus.Properties",
            "GetAll",
            "s",
            "org.kde.StatusNotifierItem",
        )
        return {name: _plain(value) for name, value in found.items()}

    async def _call(
        self, path: str, interface: str, member: str, signature: str, *body: Any
    ) -> list[Any]:
        reply = await self._bus.call(
            Message(
                destination=self._owner,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        assert reply is not None
        if reply.message_type is MessageType.ERROR:
            raise RuntimeError(f"{reply.error_name}: {reply.body}")
        return list(reply.body)


class TrayHost(ServiceInterface):
    """A panel with a tray: programs register their icon with it."""

    def __init__(self, bus: MessageBus) -> None:
        super().__init__("org.kde.StatusNotifierWatcher")
        self._bus = bus
        self._items: asyncio.Queue[TrayItem] = asyncio.Queue()
        self._names: list[str] = []
        # The method decorator hides the sender, which is all a path-only registration gives.
        bus.add_message_handler(self._register)

    @classmethod
    async def on(cls, bus: MessageBus) -> Self:
        """Stand on a bus, ready for icons."""
        host = cls(bus)
        bus.export("/StatusNotifierWatcher", host)
        await bus.request_name("org.kde.StatusNotifierWatcher")
        return host

    async def item(self, patience_s: float = _PATIENCE_S) -> TrayItem:
        """Wait for the next icon to be registered."""
        return await asyncio.wait_for(self._items.get(), patience_s)

    def _register(self, message: Message) -> bool:
        if (
            message.message_type is not MessageType.METHOD_CALL
            or message.member != "RegisterStatusNotifierItem"
        ):
            return False
        named, sender = str(message.body[0]), str(message.sender)
        owner, path = (sender, named) if named.startswith("/") else (named, "/StatusNotifierItem")
        self._names.append(owner + path)
        self._items.put_nowait(TrayItem(self._bus, owner, path))
        self._bus.send(Message.new_method_return(message))
        return True

    @method(name="RegisterStatusNotifierItem")
    def register_status_notifier_item(self, service: DBusStr) -> _Nothing:
        """Answered by the raw handler above; declared so that introspection shows it."""

    @method(name="RegisterStatusNotifierHost")
    def register_status_notifier_host(self, service: DBusStr) -> _Nothing:
        """Hosts may register too; nothing follows from it here."""

    @dbus_property(access=PropertyAccess.READ, name="RegisteredStatusNotifierItems")
    def registered_status_notifier_items(self) -> _Texts:
        return self._names

    @dbus_property(access=PropertyAccess.READ, name="IsStatusNotifierHostRegistered")
    def is_status_notifier_host_registered(self) -> DBusBool:
        return True

    @dbus_property(access=PropertyAccess.READ, name="ProtocolVersion")
    def protocol_version(self) -> DBusInt32:
        return 0


@dataclass(frozen=True)
class Notification:
    """What a program asked the daemon to show."""

    id: int
    summary: str
    body: str
    actions: list[str]


class NotificationDaemon(ServiceInterface):
    """Keeps what it was asked to show, and clicks on it when told."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.shown: list[Notification] = []
        self.closed: list[int] = []
        self._new = asyncio.Event()

    @classmethod
    async def on(cls, bus: MessageBus) -> Self:
        """Stand on a bus, ready for notifications."""
        daemon = cls()
        bus.export("/org/freedesktop/Notifications", daemon)
        await bus.request_name("org.freedesktop.Notifications")
        return daemon

    async def next(self, patience_s: float = _PATIENCE_S) -> Notification:
        """Wait until one more is shown than when this was called first."""
        async with asyncio.timeout(patience_s):
            await self._new.wait()
        self._new.clear()
        return self.shown[-1]

    def click(self, notification: Notification) -> None:
        """Click on the notification itself, as a person does."""
        self.action_invoked(notification.id, "default")
        self.notification_closed(notification.id, 2)

    @method(name="Notify")
    def notify(
        self,
        app: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: _Texts,
        hints: DBusDict,
        timeout: DBusInt32,
    ) -> DBusUInt32:
        number = replaces or len(self.shown) + 1
        self.shown.append(Notification(number, summary, body, actions))
        self._new.set()
        return number

    @method(name="CloseNotification")
    def close_notification(self, number: DBusUInt32) -> _Nothing:
        self.closed.append(number)
        self.notification_closed(number, 3)

    @method(name="GetCapabilities")
    def get_capabilities(self) -> _Texts:
        return ["actions", "body", "body-markup", "persistence"]

    @method(name="GetServerInformation")
    def get_server_information(self) -> _FourTexts:
        return ["test daemon", "tests", "1", "1.2"]

    @dbus_signal(name="ActionInvoked")
    def action_invoked(self, number: DBusUInt32, key: DBusStr) -> _NumberAndText:
        return [number, key]

    @dbus_signal(name="NotificationClosed")
    def notification_closed(self, number: DBusUInt32, reason: DBusUInt32) -> _TwoNumbers:
        return [number, reason]


def _entry(node: list[Any]) -> dict[str, Any]:
    number, properties = node[0], {name: _plain(value) for name, value in node[1].items()}
    return {
        "id": number,
        "label": str(properties.get("label", "")).replace("_", ""),
        "enabled": properties.get("enabled", True),
    }


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Variant) else value
