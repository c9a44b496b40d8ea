"""What an installation can and cannot do, as JSON: `doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from smtp_wizard.engine.accounts.secret_entries import Leftover
from smtp_wizard.engine.base.records import Second
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.part_health import PartHealth
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class LeftJson:
    """An entry in a store that no account refers to."""

    store: StoreKind
    entry: str
    account: str
    since: Second
    there: Literal["yes", "unknown"]

    @classmethod
    def of(cls, left: Leftover) -> LeftJson:
        """Return an entry as it is printed."""
        return cls(left.ref.kind, left.ref.where, left.account, left.since, "yes" if left.there else "unknown")


@dataclass(frozen=True, slots=True)
class Diagnosed(JsonDocument):
    """`doctor`."""

    NAME: ClassVar = "doctor"
    checks: tuple[PartHealth, ...]
    left: tuple[LeftJson, ...]
    removed: tuple[LeftJson, ...]
    versions: Mapping[str, str]
