"""The tags of an account: words by which some of many are chosen, such as the customer that they belong to."""

from __future__ import annotations

import re
from typing import Annotated

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.records import like
from smtp_wizard.engine.base.shown import phrase, shown

_TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
Tag = Annotated[str, like(_TAG, "a tag")]
MOST = 20
"""Tags of an account."""


def parse_tag(text: str) -> str:
    """Take a tag as typed; return it in lower case. Raises `InputError` with one sentence."""
    tag = text.strip().lower()
    if not _TAG.fullmatch(tag):
        raise InputError(
            phrase(
                "'{}' cannot be a tag: it has up to 40 letters (a to z), digits, dots, hyphens and underscores.",
                shown(text, 40),
            )
        )
    return tag
