"""How well a fact is known."""

from __future__ import annotations

from enum import StrEnum


class Confidence(StrEnum):
    """How well a fact is known."""

    OFFICIAL = "official"
    """The provider's own page or announcement says so."""
    ISPDB = "ispdb"
    """Thunderbird's database of providers says so."""
    COMMUNITY = "community"
    """Somebody else says so: lists, forums, the press. It may be old."""
    ARTICLE = "article"
    """Only the old help article says so."""
    OWN = "own"
    """It is ours: the practice server, or what the person enters."""
    UNKNOWN = "unknown"
    """Nothing was found."""
