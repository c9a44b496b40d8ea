"""Windows about where a password is kept: the vault's passphrase, and another place for a password."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.base import Availability, SecretError, SecretFault
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.references import variable_for
from smtp_wizard.engine.secrets.vault import VaultState, VaultStore, acceptable
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.screens.dialogs import Dialog
from smtp_wizard.screens.step import Kit
from smtp_wizard.text.stores import MOVE_WHY, TRYING, VAULT_NEW, VAULT_NOT_SAME, VAULT_OPEN
from smtp_wizard.text.wizard import STORE_TITLES
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.fields import Field, SecretInput
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.text import Plain
from smtp_wizard.widgets.ways import WayFields


class PassphraseScreen(Dialog[Secret]):
    """Asks for the passphrase; a new one twice, since nobody could find out a slip."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Not now")]

    def __init__(self, *, new: bool, trouble: str = "") -> None:
        """`trouble`: what was wrong with the one before."""
        super().__init__()
        self.new = new
        self.first = Field("Passphrase", SecretInput(id="passphrase"), hint="F2 shows what you type.")
        self.again = Field("Once more", SecretInput(id="passphrase-again"))
        if trouble:
            self.first.fail(trouble)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Plain(Content.styled("A new vault" if self.new else "The vault", "bold"))
            yield Plain(f"{VAULT_NEW if self.new else VAULT_OPEN}\n")
            yield self.first
            if self.new:
                yield self.again
        yield KeyHints()

    @on(Input.Submitted)
    def _enter(self, event: Input.Submitted) -> None:
        typed = Secret(self.first.value)
        if not self.new:
            if typed:
                self.dismiss(typed)
            else:
                self.first.fail("Type the passphrase, or press Esc.")
            return
        try:
            acceptable(typed)
        except InputError as problem:
            self.first.fail(str(problem))
            self.first.entry.focus()
            return
        self.first.fail("")
        if event.input is self.first.entry:
            self.again.entry.focus()
        elif Secret(self.again.value) != typed:
            self.again.fail(VAULT_NOT_SAME)
        else:
            self.dismiss(typed)


class MoveScreen(Dialog[StoreRef]):
    """Asks for another place for a password; returns where that is, as a reference that nothing was put behind yet."""

    def __init__(self, kit: Kit, account: Account) -> None:
        super().__init__()
        self.kit = kit
        self.account = account
        assert account.store is not None
        rows = [Choice(kind, STORE_TITLES[kind]) for kind in kit.desk.stores.offered()]
        self.store = Choices(rows, account.store.kind, id="move-store")
        self.way = WayFields(draft_of(account, None, kit.desk.catalog), variable_for(account.name))
        self.words = Plain(TRYING, classes="note")
        self._found: dict[StoreKind, Availability] = {}

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Plain(Content.styled(f"The password of '{self.account.name}'", "bold"))
            yield Plain(f"{MOVE_WHY}\n")
            yield self.store
            yield self.way
            yield self.words
        yield KeyHints()

    def on_mount(self) -> None:
        self._changed()
        self._probe()

    @work(exclusive=True)
    async def _probe(self) -> None:
        """Try every place out before it is recommended."""
        stores = self.kit.desk.stores
        for kind in stores.offered():
            self._found[kind] = await stores.get(kind).probe()
        self._changed()

    def work_failed(self) -> None:
        self.words.update("")

    @on(Choices.Changed, "#move-store")
    def _changed(self) -> None:
        kind = self.store.selected
        self.way.show_only(kind)
        if kind in self._found:
            self.words.update(self._found[kind].words)

    @on(Choices.Taken)
    @on(Input.Submitted)
    def _enter(self) -> None:
        kind = self.store.selected
        way = self.way.parsed(kind)
        if way is not None:
            self.dismiss(StoreRef(kind, way))


async def unlocked(
    app: App[int], vault: VaultStore, *places: StoreRef | StoreKind | None, creating: bool = False
) -> bool:
    """Open the vault where one of the places is the vault; ask until it is open. Only in a worker.

    `creating`: one that is not there yet is made. Returns False where the person does not give the passphrase. Raises
    `SecretError` where the vault cannot be used.
    """
    kinds = [place.kind if isinstance(place, StoreRef) else place for place in places]
    if StoreKind.VAULT not in kinds or (vault.state is VaultState.MISSING and not creating):
        return True
    trouble = ""
    while not await vault.ready():
        new = vault.state is VaultState.MISSING
        passphrase = await app.push_screen_wait(PassphraseScreen(new=new, trouble=trouble))
        if passphrase is None:
            return False
        try:
            await (vault.create(passphrase) if new else vault.open(passphrase))
        except SecretError as problem:
            if problem.fault is not SecretFault.WRONG:
                raise
            trouble = str(problem)
    return True
