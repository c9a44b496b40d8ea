"""Who the mail comes from, and what an account is used for."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from smtp_wizard.engine.base.address import AddressText
from smtp_wizard.engine.lazy_dataclass import dataclass


class Scope(StrEnum):
    """What an account is used for: the article's 'General Emails Only' and 'For All Emails'."""

    GENERAL = "general"
    ALL = "all"

    @property
    def words(self) -> str:
        """The article's words for it."""
        return {"general": "General Emails Only", "all": "For All Emails"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the mail of an account comes from, beside the mailbox's own address."""

    sender: AddressText | None = None
    """The address in From, where it differs from the mailbox's."""
    sender_name: str = ""
    update_company: bool = False
    """The article's 'Update Company Email': the application is told the two that follow."""
    company_name: str = ""
    reply_to: AddressText | None = None

    @property
    def in_use(self) -> Identity:
        """What the application is told: without the company's name and Reply-To where those are not wanted."""
        return self if self.update_company else replace(self, company_name="", reply_to=None)
