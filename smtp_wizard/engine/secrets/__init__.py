"""Where secrets are kept: the keyring, an encrypted file, what a command prints, a file, a variable, or nowhere.

Each place is a module. What goes wrong in it becomes a `SecretError` with one sentence for a person; foreign exceptions
end there, and nothing of their text is shown, since some of them quote the secret.
"""

from smtp_wizard.engine.secrets.base import Availability, Before, SecretError, SecretStore, Trouble, entry_name, nothing
from smtp_wizard.engine.secrets.command import (
    COMMAND_EXAMPLES,
    COMMAND_SECONDS,
    CommandStore,
    first_line,
    parse_command,
    utf8_text,
)
from smtp_wizard.engine.secrets.file import CREDENTIALS, FileStore, parse_secret_file
from smtp_wizard.engine.secrets.journal import Journal, Note, Pending
from smtp_wizard.engine.secrets.keyring import KEYRING_LIMIT, OS_BACKENDS, SERVICE, Backend, KeyringStore
from smtp_wizard.engine.secrets.references import EnvStore, ReferenceStore, no_text, parse_variable, variable_for
from smtp_wizard.engine.secrets.session import SessionStore
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultState, VaultStore, acceptable

__all__ = [
    "COMMAND_EXAMPLES",
    "COMMAND_SECONDS",
    "CREDENTIALS",
    "KEYRING_LIMIT",
    "OS_BACKENDS",
    "SERVICE",
    "Availability",
    "Backend",
    "Before",
    "CommandStore",
    "EnvStore",
    "FileStore",
    "Journal",
    "KeyringStore",
    "Note",
    "Pending",
    "ReferenceStore",
    "SecretError",
    "SecretStore",
    "SecretStores",
    "SessionStore",
    "Trouble",
    "VaultState",
    "VaultStore",
    "acceptable",
    "entry_name",
    "first_line",
    "no_text",
    "nothing",
    "parse_command",
    "parse_secret_file",
    "parse_variable",
    "utf8_text",
    "variable_for",
]
