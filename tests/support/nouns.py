"""Drafts, accounts and targets with fields changed by name, their own or those of a noun that they hold."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.identity import Identity
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.wizard.draft import Draft

W = TypeVar("W", Draft, Account, Target)


def with_fields(whole: W, **changes: Any) -> W:
    """Return `whole` with these fields changed: its own, its connection's, or its identity's."""
    for name, noun in (("connection", Connection), ("identity", Identity)):
        own = {each.name for each in fields(noun)}
        inner = {key: changes.pop(key) for key in own & changes.keys()}
        if inner:
            changes[name] = replace(getattr(whole, name), **inner)
    return replace(whole, **changes)
