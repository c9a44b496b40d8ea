"""Who the mail comes from, and what an account is used for."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What an account is used for: the article's 'General Emails Only' and 'For All Emails'."""

    GENERAL = "general"
    ALL = "all"

    @property
    def words(self) -> str:
        """The article's words for it."""
        return {"general": "General Emails Only", "all": "For All Emails"}[self.value]
