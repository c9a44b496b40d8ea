"""What the engine raises for a person to read: whoever asks it for something says each on the spot, and goes on."""

from __future__ import annotations

from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.secrets.secret_store import SecretError

EXPECTED_ERRORS = (
    AccountsError,
    DataError,
    InputError,
    MailboxError,
    OAuthError,
    SandboxError,
    SecretError,
    UnsafeFile,
)
"""The text of each is a sentence or two, and never a secret."""
