"""Posts of a Discourse forum, planned as imported bodies: categories, topics, posts (DATA.md).

Pure: the same posts in any order give the same plan, so that a second import changes nothing. Each
item comes after all that it stands on; whoever imports finds the ids and signs.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from trayapp.errors import ImportRefused
from trayapp.forum.bodies import TEXT_BYTES, Imported, Source
from trayapp.forum.discourse_post import NO_CATEGORY, Post, Reason, read
from trayapp.forum.discourse_text import Places, retell, topic_links

UNNAMED_SITE = "discourse"
"""`source.site` while nobody said where the archive is from."""

_SITE = re.compile(r"[a-z0-9.-]{1,200}(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Site:
    """Where the posts come from. `base` is its address, None when nobody said."""

    name: str = UNNAMED_SITE
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be signed. Keys are `source.post`: `category/7` for a subnet, else a post's id.

    `parent` is the key of what `ref` must name: None for a subnet, a subnet for a thread, a thread
    for a reply. `re` is the key of the post that a reply answers; `body.re` is left open.
    """

    key: str
    parent: str | None
    re: str | None
    body: Imported


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did with the files it read: `read` is always `written` + `skipped`.

    Subnets are not counted: they are made of the posts. `reasons` says why posts were skipped, and
    what was odd about others that were written.
    """

    read: int
    written: int
    skipped: int
    reasons: dict[str, int]

    def without(self, unchanged: int) -> Report:
        """The report when so many posts were already here, word for word."""
        if not unchanged:
            return self
        return replace(
            self,
            written=self.written - unchanged,
            skipped=self.skipped + unchanged,
            reasons={**self.reasons, Reason.ALREADY_HERE.value: unchanged},
        )


def site_of(url: str | None) -> Site:
    """The site that a person names.

    Args:
        url: `https://forum.example`, or the host alone; None when it is not known.

    Raises:
        ImportRefused: that is no address of a site.
    """
    if url is None:
        return Site()
    whole = url.strip() if "://" in url else f"https://{url.strip()}"
    try:
        parts = urlsplit(whole)
    except ValueError:
        parts = urlsplit("")
    name = parts.netloc.lower()
    if not _SITE.fullmatch(name) or parts.scheme not in ("http", "https"):
        raise ImportRefused(f"{url!r} is no address of a forum: give it as https://forum.example.")
    return Site(name, f"{parts.scheme}://{name}{parts.path.rstrip('/')}")


class Gathering:
    """Takes posts one by one, as they are unpacked; then makes the plan."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._posts: dict[int, Post] = {}
        self._read = 0
        self._skipped: Counter[Reason] = Counter()

    def take(self, post: object) -> None:
        """Take one decoded JSON value, whatever it may be; None for a file that was not JSON."""
        self._read += 1
        taken = read(post)
        if isinstance(taken, Reason):
            self._skipped[taken] += 1
            return
        held = self._posts.get(taken.id)
        if held is not None:
            self._skipped[Reason.MET_TWICE] += 1
        if held is None or _newness(taken) > _newness(held):
            self._posts[taken.id] = taken

    def plan(self) -> Plan:
        """Order what was taken."""
        return Plan(self._site, self._posts.values(), self._read, self._skipped)


class Plan:
    """The posts in the order in which to sign them. May be gone through more than once."""

    def __init__(
        self, site: Site, posts: Iterable[Post], taken: int, skipped: Mapping[Reason, int]
    ) -> None:
        self._site = site
        self._topics = _topics(posts)
        self._places = _places(site, self._topics)
        self._categories = _categories(self._topics)
        count = sum(len(topic.posts) for topic in self._topics)
        odd = {reason.value: number for reason, number in _oddities(self._topics) if number}
        reasons = {reason.value: skipped[reason] for reason in sorted(skipped)} | odd
        self.report = Report(taken, count, sum(skipped.values()), reasons)
        """`written` is what a first import writes, subnets not counted."""

    def __len__(self) -> int:
        return len(self._categories) + self.report.written

    def __iter__(self) -> Iterator[Item]:
        for category, since in sorted(self._categories.items()):
            yield self._subnet(category, since)
        for _, _, place, topic in sorted(_moments(self._topics), key=lambda moment: moment[:3]):
            yield self._reply(topic, topic.posts[place]) if place else self._thread(topic)

    def _subnet(self, category: int, since: int) -> Item:
        key = _subnet_key(category)
        title = "No category" if category == NO_CATEGORY else f"Category {category}"
        source = Source(self._site.name, key, 1, "", since)
        return Item(key, None, None, Imported(source, "", title))

    def _thread(self, topic: _Topic) -> Item:
        opening = topic.opening
        body = Imported(self._source(opening), self._text(opening), topic.title)
        return Item(str(opening.id), _subnet_key(topic.category), None, body)

    def _reply(self, topic: _Topic, post: Post) -> Item:
        answered = topic.answered(post)
        return Item(
            str(post.id),
            str(topic.opening.id),
            None if answered is None else str(answered.id),
            Imported(self._source(post), self._text(post)),
        )

    def _source(self, post: Post) -> Source:
        site, url = self._site, None
        if site.base is not None:
            parts = (site.base, "t", post.slug, str(post.topic), str(post.number))
            url = "/".join(filter(None, parts))
        return Source(
            site.name, str(post.id), post.version, post.author, post.time, url, post.counts
        )

    def _text(self, post: Post) -> str:
        text = retell(post.text, self._places, dict(post.images))
        # Marks and links can make a text longer than any may be: then it stays as typed.
        return text if len(text.encode()) <= TEXT_BYTES else post.text


class _Topic:
    """The posts of one topic in its order, and what the newest of them says of it."""

    def __init__(self, number: int, posts: list[Post]) -> None:
        self.number = number
        self.posts = sorted(posts, key=lambda post: (post.number, post.id))
        self.opening = self.posts[0]
        newest = max(posts, key=lambda post: (post.updated, post.id))
        self.title = newest.title
        self.category = newest.category
        self._by_number = {post.number: post for post in reversed(self.posts)}

    def answered(self, post: Post) -> Post | None:
        """The post that this one answers, always an earlier one."""
        return None if post.answers is None else self._by_number.get(post.answers)


def _subnet_key(category: int) -> str:
    return f"category/{category}"


def _newness(post: Post) -> tuple[int, int, str]:
    """Of two forms of one post the greater is taken; the last only breaks ties."""
    return post.version, post.updated, repr(post)


def _topics(posts: Iterable[Post]) -> list[_Topic]:
    grouped: dict[int, list[Post]] = defaultdict(list)
    for post in posts:
        grouped[post.topic].append(post)
    return [_Topic(number, grouped[number]) for number in sorted(grouped)]


def _moments(topics: Iterable[_Topic]) -> Iterator[tuple[int, int, int, _Topic]]:
    """(time, topic, place in it) of each post: never earlier than one before it in its topic."""
    for topic in topics:
        latest = 0
        for place, post in enumerate(topic.posts):
            latest = max(latest, post.time)
            yield latest, topic.number, place, topic


def _categories(topics: Iterable[_Topic]) -> dict[int, int]:
    """Each category in use, with the time of its first post."""
    since: dict[int, int] = {}
    for topic in topics:
        first = topic.opening.time
        since[topic.category] = min(first, since.get(topic.category, first))
    return since


def _places(site: Site, topics: list[_Topic]) -> Places:
    posts = {(t.number, post.number): post.id for t in topics for post in reversed(t.posts)}
    host = urlsplit(site.base).netloc if site.base else _host(topics)
    return Places(
        site=site.name,
        base=site.base,
        hosts=frozenset([host] if host else []),
        posts=posts,
        openings={topic.number: topic.opening.id for topic in topics},
        titles={topic.number: topic.title for topic in topics},
    )


def _host(topics: Iterable[_Topic]) -> str | None:
    """The host under which links name topics of this archive most often, by slug and number."""
    slugs = {(post.slug, topic.number) for topic in topics for post in topic.posts if post.slug}
    named: Counter[str] = Counter()
    for post in (post for topic in topics for post in topic.posts if "/t/" in post.text):
        named.update(host for host, slug, topic in topic_links(post.text) if (slug, topic) in slugs)
    return max(named, key=lambda host: (named[host], host), default=None)


def _oddities(topics: list[_Topic]) -> Iterator[tuple[Reason, int]]:
    yield Reason.NO_OPENING, sum(topic.opening.number > 1 for topic in topics)
    yield Reason.TWO_TITLES, sum(len({p.title for p in topic.posts}) > 1 for topic in topics)
    yield Reason.TWO_CATEGORIES, sum(len({p.category for p in t.posts}) > 1 for t in topics)
    missed = (
        post.answers is not None and topic.answered(post) is None
        for topic in topics
        for post in topic.posts
    )
    yield Reason.MISSING_ANSWERED, sum(missed)
