"""What every screen is handed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.runtime.server_watch import ServerWatch


@dataclass(frozen=True, slots=True)
class ScreenContext:
    """The long-lived parts, built once at the front door and handed to each screen."""

    services: Services
    guides: Guides
    watch: ServerWatch
    local: bool
    """Whether a browser started here opens in front of the person."""
    left: str = ""
    """What is wrong with a draft that was left, in a sentence; empty where nothing is."""

    @property
    def today(self) -> date:
        """The day, where this computer is."""
        return self.services.now().astimezone().date()


@runtime_checkable
class CollectsDraft(Protocol):
    """A step of the wizard, whichever way it is drawn."""

    def collect(self) -> Draft:
        """Return the draft with what was typed so far, right or wrong."""
        ...
