"""Which events deserve a person's attention. Pure: showing them is `desktop/notify.py`'s matter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from trayapp.events import ReplyArrived
from trayapp.settings import Settings


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell a person now; a newer one for the same thread takes its place."""

    thread: bytes
    post: bytes
    """Where a click leads: this post, in its thread."""
    title: str
    body: str


def notice_for(
    event: ReplyArrived, settings: Settings, on_screen: Collection[bytes] = ()
) -> Notice | None:
    """Decide whether a post is worth a notice.

    It is when somebody else just wrote it into a thread I follow. It is not when it was brought
    in from another forum, came with a first sync, or stands on the screen already.

    Args:
        on_screen: the threads that some window shows, visible and focused.
    """
    wanted = settings.notifications and event.follows
    old_news = event.by_me or event.imported or event.first_sync
    if not wanted or old_news or event.thread in on_screen:
        return None
    return Notice(
        thread=event.thread,
        post=event.post,
        title=event.title,
        body=f"{event.author_name}: {event.text}",
    )


def path_to(notice: Notice) -> str:
    """The page a click on the notice opens."""
    return f"/t/{notice.thread.hex()}/p/{notice.post.hex()}"
