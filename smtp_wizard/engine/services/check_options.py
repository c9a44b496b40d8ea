"""What a command may say beside the draft or the account."""

from __future__ import annotations

from dataclasses import replace

from smtp_wizard.engine.base.connection import Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """How a server is to be spoken to this time, whatever the draft or the account says."""

    family: Family | None = None
    ehlo_name: str = ""
    ca_file: str | None = None
    ignore_lockout: bool = False
    """Sign in although so many sign-ins were refused that the account may get locked. Only ever a person's own word."""

    def over(self, connection: Connection[Endpoint]) -> Connection[Endpoint]:
        """Return a connection with what was said in the place of its own."""
        ca_file, ehlo_name = self.ca_file or connection.ca_file, self.ehlo_name or connection.ehlo_name
        return replace(connection, ca_file=ca_file, ehlo_name=ehlo_name)
