"""Every step, setting, figure and reason of the old help article is found where docs/article.md says."""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path

from tests.support.cli import run

TABLE = Path(__file__).parent.parent / "docs" / "article.md"
_ROW = re.compile(r"\| (?P<said>[^|]+) \| `smtp-wizard (?P<command>[^`]+)` \| (?P<words>[^|]+) \|")


def rows() -> list[tuple[str, str, str]]:
    """What the article says, the command that tells it, and words of what that prints."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| ") and "|---" not in line]
    found = [_ROW.fullmatch(line) for line in lines if not line.startswith("| In the article ")]
    assert all(found), [line for line, row in zip(lines, found, strict=False) if row is None]
    return [(row["said"], row["command"], row["words"]) for row in found if row is not None]


@functools.cache
def printed(command: str) -> str:
    """Return what a command prints, without line ends: a sentence may be wrapped anywhere."""
    ran = run(*shlex.split(command))
    assert ran.code == 0, command
    return " ".join(ran.out.replace("<", "").replace(">", "").split())


def test_what_the_article_says_is_found_where_the_table_says() -> None:
    printed.cache_clear()
    missing = [(said, command) for said, command, words in rows() if " ".join(words.split()) not in printed(command)]
    assert missing == []


def test_the_table_has_all_parts_of_the_article() -> None:
    told = TABLE.read_text("utf-8")
    assert len(rows()) >= 140
    for part in ("Why", "The settings in ServiceMonster", "The servers", "The unsubscribe link", "Limits: the figures"):
        assert f"\n## {part}\n" in told
