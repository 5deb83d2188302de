"""Posts in the shape of a Discourse forum, for machines without the real ones. Always the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

_WORDS = ("allotment", "beans", "boat", "compost", "fence", "frost", "harbour", "kettle", "oven")
_PEOPLE = ("ann", "bob", "cleo", "dag", "eve", "finn")


def write_posts(folder: Path, topics: int = 40, seed: int = 1) -> Path:
    """Write posts as `posts/<month>/<id>-<topic id>.json` below the folder; return the folder."""
    for post in posts(topics, seed):
        path = folder / "posts" / post["created_at"][:7] / f"{post['id']}-{post['topic_id']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(post), encoding="utf-8")
    return folder


def posts(topics: int, seed: int = 1) -> list[dict[str, Any]]:
    """Post objects of so many topics in three categories, 1 to 12 posts each."""
    dice = random.Random(seed)
    made: list[dict[str, Any]] = []
    for topic in range(1, topics + 1):
        title = _sentence(dice, 4).capitalize()
        for number in range(1, dice.randint(1, 12) + 1):
            made.append(_post(dice, len(made) + 1, topic, number, title))
    return made


def _post(dice: random.Random, post: int, topic: int, number: int, title: str) -> dict[str, Any]:
    text = "\n\n".join(_sentence(dice, dice.randint(5, 40)) for _ in range(dice.randint(1, 3)))
    day = f"2024-{1 + topic % 12:02}-{1 + number:02}T12:{post % 60:02}:00.000Z"
    return {
        "id": post,
        "topic_id": topic,
        "topic_title": title,
        "category_id": 1 + topic % 3,
        "post_number": number,
        "reply_to_post_number": dice.randint(1, number - 1) if number > 2 else None,
        "username": dice.choice(_PEOPLE),
        "created_at": day,
        "updated_at": day,
        "version": 1,
        "raw": text,
        "cooked": f"<p>{text}</p>",
        "reactions": [],
    }


def _sentence(dice: random.Random, words: int) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(words))
