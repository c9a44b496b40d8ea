"""Saved accounts as JSON: `accounts` and the commands below it, `vault`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import AddressText
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.records import INLINE, Second, Whole
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.secrets.store_kinds import StoreRef
from smtp_wizard.engine.state.results import LastResult
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.output.documents.checks import ResultJson, UnreadJson
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class LastJson:
    """How the last check came out."""

    at: Second
    depth: Depth
    verdict: Verdict
    stage: Stage | None
    finding: str | None

    @classmethod
    def of(cls, last: LastResult) -> LastJson:
        """Return a last result as it is printed."""
        return cls(last.at, last.depth, last.verdict, last.stage, last.code or None)


@dataclass(frozen=True, slots=True)
class LoginJson:
    """What is known of a sign-in in the browser."""

    client_id: str
    granted: Second
    renewed: Second
    ends: Second | None

    @classmethod
    def of(cls, login: SignInRenewal) -> LoginJson:
        """Return a sign-in as it is printed."""
        return cls(login.client_id, login.granted, login.renewed, login.ends)


@dataclass(frozen=True, slots=True)
class AccountJson:
    """A saved account."""

    name: str
    address: AddressText
    endpoint: Annotated[Endpoint, INLINE]
    username: str
    auth: Auth
    provider: str | None
    path: str | None
    from_: AddressText
    sender_name: str
    scope: Scope
    company_email: bool
    company_name: str
    reply_to: AddressText | None
    store: StoreRef | None
    allow_cleartext_login: bool
    ehlo_name: str | None
    ca_file: str | None
    sandbox: str | None
    created: Second
    tags: tuple[str, ...]
    last: LastJson | None
    login: LoginJson | None

    @classmethod
    def of(cls, account: Account) -> AccountJson:
        """Return an account as it is printed: everything that is saved."""
        connection, identity = account.connection, account.identity
        return cls(
            name=account.name,
            address=account.address,
            endpoint=connection.endpoint,
            username=connection.username,
            auth=connection.auth,
            provider=connection.provider,
            path=connection.path,
            from_=account.from_address,
            sender_name=identity.sender_name,
            scope=account.scope,
            company_email=identity.update_company,
            company_name=identity.company_name,
            reply_to=identity.reply_to,
            store=account.store,
            allow_cleartext_login=connection.allow_cleartext,
            ehlo_name=connection.ehlo_name or None,
            ca_file=connection.ca_file,
            sandbox=connection.sandbox,
            created=account.created,
            tags=account.tags,
            last=LastJson.of(account.last) if account.last else None,
            login=LoginJson.of(account.login) if account.login else None,
        )


@dataclass(frozen=True, slots=True)
class AccountsListed(JsonDocument):
    """`accounts`."""

    NAME: ClassVar = "accounts"
    accounts: tuple[AccountJson, ...]
    unread: tuple[UnreadJson, ...]


@dataclass(frozen=True, slots=True)
class AccountShown(JsonDocument):
    """`accounts show`."""

    NAME: ClassVar = "accounts-show"
    account: Annotated[AccountJson, INLINE]
    refused_lately: Whole


@dataclass(frozen=True, slots=True)
class AccountEdited(JsonDocument):
    """`accounts edit`."""

    NAME: ClassVar = "accounts-edit"
    changed: bool
    account: AccountJson
    results: tuple[ResultJson, ...]


@dataclass(frozen=True, slots=True)
class AccountRenamed(JsonDocument):
    """`accounts rename`."""

    NAME: ClassVar = "accounts-rename"
    renamed: str
    """The name that it had."""
    account: AccountJson


@dataclass(frozen=True, slots=True)
class PasswordChanged(JsonDocument):
    """`accounts password`."""

    NAME: ClassVar = "accounts-password"
    changed: bool
    store: StoreRef | None
    results: tuple[ResultJson, ...]


@dataclass(frozen=True, slots=True)
class AccountDuplicated(JsonDocument):
    """`accounts duplicate`."""

    NAME: ClassVar = "accounts-duplicate"
    original: str
    account: AccountJson


@dataclass(frozen=True, slots=True)
class AccountsTagged(JsonDocument):
    """`accounts tag`."""

    NAME: ClassVar = "accounts-tag"
    accounts: tuple[AccountJson, ...]


@dataclass(frozen=True, slots=True)
class AccountRemoved(JsonDocument):
    """`accounts remove`."""

    NAME: ClassVar = "accounts-remove"
    removed: str
    note: str


@dataclass(frozen=True, slots=True)
class VaultStatus(JsonDocument):
    """`vault`."""

    NAME: ClassVar = "vault"
    file: str
    exists: bool
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VaultPassphrase(JsonDocument):
    """`vault passphrase`."""

    NAME: ClassVar = "vault-passphrase"
    changed: bool
