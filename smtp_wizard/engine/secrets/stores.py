"""All places for secrets together, in the order in which they are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import Path

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.command import CommandStore, Lend
from smtp_wizard.engine.secrets.file import FileStore
from smtp_wizard.engine.secrets.journal import Journal
from smtp_wizard.engine.secrets.keyring import KEYRING_LIMIT, Backend, KeyringStore, desktop_backend
from smtp_wizard.engine.secrets.reference_stores import EnvStore, ReferenceStore
from smtp_wizard.engine.secrets.secret_store import Before, SecretStore, do_nothing, entry_name
from smtp_wizard.engine.secrets.session import SessionStore
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import PassphraseSource, VaultStore


class SecretStores:
    """All stores. Built once at the front door and handed down."""

    def __init__(
        self,
        environ: MutableMapping[str, str],
        folder: Path | None = None,
        *,
        variables: Callable[[], Iterable[str]] = tuple,
        keyring_limit: float = KEYRING_LIMIT,
        backend_factory: Callable[[], Backend] = desktop_backend,
        keyring: SecretStore | None = None,
        vault: VaultStore | None = None,
        env: EnvStore | None = None,
        passphrase: PassphraseSource | None = None,
        lend: Lend | None = None,
    ) -> None:
        """`environ`: usually `os.environ`; variables that hold secrets are taken out of it when they are read.

        `folder`: the config folder, where the vault is; None: there is no vault. `variables`: names those in which
        saved accounts have their secrets; they are taken out of it before a program is started. `keyring`, `vault` and
        `env`: the stores themselves, where they are at hand already. `passphrase` gives the vault's without asking;
        `lend` lends the terminal to a command that must ask the person something.
        """
        self._environ = environ
        self._variables = variables
        self.env = env or EnvStore(environ)
        self.command = CommandStore(environ, before=self.hide_variables, lend=lend)
        self.file = FileStore(environ)
        self.vault = vault or VaultStore(folder, source=passphrase)
        self.journal = Journal(folder)
        stores: tuple[SecretStore, ...] = (
            keyring or KeyringStore(limit=keyring_limit, backend_factory=backend_factory),
            self.vault,
            self.command,
            self.file,
            self.env,
            SessionStore(),
        )
        self._stores: dict[StoreKind, SecretStore] = {store.kind: store for store in stores}

    def offered(self) -> tuple[StoreKind, ...]:
        """All kinds, in the order in which they are offered. Whether one works here, its `probe` says."""
        return tuple(self._stores)

    def get(self, kind: StoreKind) -> SecretStore:
        """Return the store of that kind."""
        return self._stores[kind]

    def hide_variables(self) -> None:
        """Take every variable that holds a secret out of the environment, so that no child process inherits it."""
        self.env.hide(self._variables())

    def for_children(self) -> Mapping[str, str]:
        """Return the environment for a program that is to be started."""
        self.hide_variables()
        return self._environ

    def place(self, kind: StoreKind, account_name: str, where: str = "") -> StoreRef:
        """Return where a secret of an account can be put: an entry that nothing has been put into yet.

        Of a reference (a command, a file, a variable) it is the way to the secret: `where`, else the usual one. Raises
        `SecretError` where there is no usual one.
        """
        store = self.get(kind)
        if isinstance(store, ReferenceStore):
            return StoreRef(kind, where or store.default(account_name))
        return StoreRef(kind, entry_name(account_name))

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        """Keep a secret where the reference says. Raises `SecretError`. See `SecretStore.put`."""
        await self.get(ref.kind).put(ref, secret, before=before)

    async def refer(self, kind: StoreKind, where: str) -> StoreRef:
        """Return a reference to an access token, once it has given one. Raises `SecretError`.

        It is compared with nothing: the next one that the way leads to may be another, and as good.
        """
        await self.read(kind, where)
        return StoreRef(kind, where)

    async def read(self, kind: StoreKind, where: str) -> Secret:
        """Follow a reference that no account has yet. Raises `SecretError`."""
        return await self.fetch(StoreRef(kind, where))

    async def fetch(self, ref: StoreRef) -> Secret:
        """Return the secret that a reference leads to. Raises `SecretError`."""
        return await self.get(ref.kind).get(ref)

    async def delete(self, ref: StoreRef) -> None:
        """Forget the secret that a reference leads to. Raises `SecretError`."""
        await self.get(ref.kind).delete(ref)
