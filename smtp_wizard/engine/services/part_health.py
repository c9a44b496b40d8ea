"""The health of one part of the installation, as `Doctor` finds it."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.lazy_dataclass import dataclass


class Health(StrEnum):
    """How a part was found."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part that was looked at."""

    area: str
    """What it belongs to: 'stores', 'tls'."""
    code: str
    """Stable, for scripts."""
    state: Health
    sentence: str
    """For a person: what was found and, where something is wrong, what to do."""
