"""What every test may ask for: real posts where there are some, generated ones elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests import needs
from tests.generated import write_posts

# No test asserts a speed, and none is to fail on a machine that is busy with something else.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def forum_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of Discourse posts: the real one, or a folder of generated posts of its shape."""
    if needs.in_ci() or needs.find_data(needs.ARCHIVE):
        return needs.archive()
    return write_posts(tmp_path_factory.mktemp("generated-posts"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say, as the last line of the run, when the real posts were not there (DATA.md)."""
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.version:
        return
    if needs.find_data(needs.ARCHIVE) is None:
        sys.stdout.write(
            "No real posts in ../shared/data or $BROTHERNET_DATA: generated ones were used.\n"
        )
