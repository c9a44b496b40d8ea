"""What the engine raises for a person to read: whoever asks it for something says each on the spot, and goes on."""

from __future__ import annotations

from smtp_wizard.engine.accounts import AccountsError
from smtp_wizard.engine.data import DataError
from smtp_wizard.engine.model import InputError
from smtp_wizard.engine.oauth import OAuthError
from smtp_wizard.engine.paths import UnsafeFile
from smtp_wizard.engine.sandbox import SandboxError
from smtp_wizard.engine.secrets import SecretError

TROUBLES = (AccountsError, DataError, InputError, OAuthError, SandboxError, SecretError, UnsafeFile)
"""The text of each is a sentence or two, and never a secret."""
