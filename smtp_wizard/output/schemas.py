"""The JSON Schemas (draft 2020-12) of what the commands print with --json, derived from the documents' types."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from smtp_wizard.output.documents import (
    accounts,
    bounces,
    calendar,
    checks,
    discover,
    doctor,
    document,
    domain,
    explain,
    guides,
    history,
    limits,
    ports,
    providers,
    readiness,
    sandbox,
    senders,
    unsubscribe,
)
from smtp_wizard.output.documents.document import JsonDocument

_ALL: tuple[type[JsonDocument], ...] = (
    checks.Setup,
    ports.Checked,
    checks.AccountsTested,
    checks.LineOfTest,
    history.History,
    bounces.BouncesFound,
    calendar.Calendar,
    checks.Sent,
    accounts.AccountsListed,
    accounts.AccountShown,
    accounts.AccountEdited,
    accounts.AccountRenamed,
    accounts.PasswordChanged,
    accounts.AccountDuplicated,
    accounts.AccountRemoved,
    accounts.AccountsTagged,
    accounts.VaultStatus,
    accounts.VaultPassphrase,
    providers.Providers,
    providers.ProviderShown,
    providers.ProvidersVerified,
    providers.ProviderAdded,
    limits.Limits,
    limits.LimitsPlan,
    readiness.ReadyForMailing,
    guides.GuidesListed,
    explain.Explained,
    sandbox.Practice,
    sandbox.Mailbox,
    sandbox.MessageShown,
    doctor.Diagnosed,
    discover.Discovered,
    domain.DomainExamined,
    senders.SendersTried,
    unsubscribe.UnsubscribeLink,
    unsubscribe.TemplateChecked,
    document.CompletionScript,
    document.ManualPage,
    document.Schemas,
    document.Failed,
)
_DOCUMENTS: Mapping[str, type[JsonDocument]] = MappingProxyType({each.NAME: each for each in _ALL})

_EITHER: Mapping[str, tuple[tuple[type[JsonDocument], ...], str]] = MappingProxyType(
    {
        "explain-line": (
            (explain.Explained, document.Failed),
            "One line of explain --jsonl: the answer to the line of the input that stands in the same place, or an "
            "error where that line could not be used (code 'input') or met a fault of this program (code 'bug'). The "
            "other lines are answered all the same. The exit code is 0 without errors, 2 with any 'input', 70 with "
            "any 'bug'.",
        ),
        "provider": (
            (providers.ProviderShown,),
            "A provider of the catalogue, as 'providers show' and 'provider export --format json' print it, too.",
        ),
    }
)
"""What may be one of several documents, or is another command's, and what is said of it."""

NAMES: tuple[str, ...] = (*_DOCUMENTS, *_EITHER)
"""Every document: a command, with a dash before a command below it; `test-line` is a line of --format jsonl."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the schema of a command's document (`NAMES`). Raises `KeyError`."""
    if name in _EITHER:
        kinds, description = _EITHER[name]
        shape: dict[str, Any] = {"description": description, "oneOf": [each.json_schema() for each in kinds]}
    else:
        shape = _DOCUMENTS[name].json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"smtp-wizard {name.replace('-', ' ')}",
        **shape,
    }
