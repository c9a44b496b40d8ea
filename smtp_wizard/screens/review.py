"""Save: the name, what the account is for, who it speaks for, and where the password is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input

from smtp_wizard.engine.accounts.account import AccountsError, parse_name
from smtp_wizard.engine.accounts.account_book import Displaces, NameTaken
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.secrets.base import Availability, SecretError
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.engine.secrets.references import variable_for
from smtp_wizard.engine.wizard.account_draft import suggested_name
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.screens.dialogs import ConfirmScreen
from smtp_wizard.screens.passphrase import unlocked
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.text.stores import TRYING, VAULT_CLOSED
from smtp_wizard.text.wizard import (
    ANOTHER_NAME,
    COMPANY_NO,
    COMPANY_YES,
    DISPLACE_NO,
    PURPOSE,
    REPLACE_NO,
    REPLACE_YES,
    SCOPE_NOTES,
    STILL_AT_WORK,
    STORE_BROKEN,
    STORE_TITLES,
    displace_question,
    displace_yes,
    parse_reply_to,
    replace_question,
    scope_advice,
    summary_words,
)
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.fields import Field, TextInput
from smtp_wizard.widgets.text import Plain
from smtp_wizard.widgets.ways import WayFields


class ReviewScreen(StepScreen):
    """Enter saves. What would displace or replace another account is asked first."""

    STEP = StepId.REVIEW
    AUTO_FOCUS = "#name"
    HELP: ClassVar[str] = PURPOSE[StepId.REVIEW]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        name = draft.name or suggested_name(draft, kit.desk.catalog, kit.desk.book)
        typed = draft.typed
        self.name_field = Field("Account name", TextInput(typed.get("name", name), id="name"), parse=parse_name)
        self.sender_name = Field(
            "Sender's name",
            TextInput(draft.identity.sender_name, placeholder="what customers see: Ana's Cleaning", id="sender-name"),
        )
        self.scope = Choices(
            [Choice(each, each.words, SCOPE_NOTES[each]) for each in Scope],
            draft.scope,
            id="scope",
        )
        self.company = Choices(
            [Choice(False, COMPANY_NO), Choice(True, COMPANY_YES)],
            draft.identity.update_company,
            id="company",
        )
        self.company_name = Field("Firm's name", TextInput(draft.identity.company_name, id="company-name"))
        self.reply_to = Field(
            "Answers go to",
            TextInput(typed.get("reply_to", str(draft.identity.reply_to or draft.from_address or "")), id="reply-to"),
            parse=parse_reply_to,
        )
        self.store = Choices(
            [Choice(kind, STORE_TITLES[kind]) for kind in kit.desk.stores.offered()],
            draft.store or StoreKind.SESSION,
            id="store",
        )
        self.way = WayFields(draft, variable_for(name))
        self.store_words = Plain("", classes="note", id="store-words")
        self.needs_store = draft.connection.auth is not Auth.NONE
        self._found: dict[StoreKind, Availability] = {}
        self._trying = self.needs_store
        self._chosen = False

    def body(self) -> Iterator[Widget]:
        yield Plain(self._summary(), classes="question")
        yield self.name_field
        yield self.sender_name
        with Horizontal(classes="choice-row"):
            yield Plain("Use it for", classes="label")
            yield self.scope
        yield Plain(self._advice(), classes="note", id="scope-advice")
        with Horizontal(classes="choice-row"):
            yield Plain("In the application", classes="label")
            yield self.company
        yield self.company_name
        yield self.reply_to
        if self.needs_store:
            with Horizontal(classes="choice-row"):
                yield Plain("Keep password in", classes="label")
                yield self.store
            yield self.way
            yield self.store_words
        with Horizontal(classes="buttons"):
            yield Button("Save", id="save", compact=True, variant="primary")

    def on_mount(self) -> None:
        self._company_changed()
        if self.needs_store:
            self._probe()
            self._store_changed()

    def _summary(self) -> Content:
        what, tested = summary_words(self.draft)
        return Content.assemble((what, "bold"), (f"\n{tested}", "$foreground-muted"), ("   Enter saves it.", "bold"))

    def _advice(self) -> str:
        return scope_advice(self.kit.desk.catalog.get(self.draft.connection.provider))

    # -- the store --------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="probe")
    async def _probe(self) -> None:
        """Try every store out before it is recommended; the first that works is chosen, unless the person chose."""
        stores = self.kit.desk.stores
        for kind in stores.offered():
            self._found[kind] = await stores.get(kind).probe()
        rows = [
            Choice(kind, STORE_TITLES[kind], "" if found.ok else STORE_BROKEN) for kind, found in self._found.items()
        ]
        default = StoreKind.KEYRING if self._found[StoreKind.KEYRING].ok else StoreKind.SESSION
        self.store.offer(rows, self.store.selected if self._chosen else self.draft.store or default)
        self._store_changed()

    @on(Choices.Changed, "#store")
    def _store_moved(self) -> None:
        """Remember that the person chose: what is found out later about the places must not choose another."""
        self._chosen = self._chosen or self.store.has_focus
        self._store_changed()

    def _store_changed(self) -> None:
        kind = self.store.selected
        self.way.show_only(kind)
        found = self._found.get(kind)
        self.store_words.update(found.words if found else TRYING if self._trying else "")

    def work_failed(self) -> None:
        self._trying = self.at_work("probe")
        self._store_changed()

    def still_at_work(self) -> None:
        self.banner.say(STILL_AT_WORK)

    def action_back(self) -> None:
        """Go to the step before, but not out of the midst of saving: half of it would be left."""
        if self.at_work("save"):
            self.still_at_work()
        else:
            super().action_back()

    @on(Choices.Changed, "#company")
    def _company_changed(self) -> None:
        yes = self.company.selected
        self.company_name.display = self.reply_to.display = yes

    # -- saving -----------------------------------------------------------------------------------------------------

    def collect(self) -> Draft:
        draft = replace(
            self.draft,
            identity=replace(
                self.draft.identity,
                sender_name=self.sender_name.value.strip(),
                update_company=self.company.selected,
                company_name=self.company_name.value.strip(),
            ),
            scope=self.scope.selected,
            store=self.store.selected if self.needs_store else None,
            env_name=self.way.text(StoreKind.ENV),
            secret_command=self.way.text(StoreKind.COMMAND),
            secret_file=self.way.text(StoreKind.FILE),
        )
        name, reply_to = self.name_field.read().value, self.reply_to.read()
        if name is None:
            draft = draft.with_typed("name", self.name_field.value)
        else:
            draft = replace(draft, name=name).with_typed("name", None)
        if reply_to.error:
            return draft.with_typed("reply_to", self.reply_to.value)
        identity = replace(draft.identity, reply_to=reply_to.value)
        return replace(draft, identity=identity).with_typed("reply_to", None)

    @on(Input.Submitted)
    @on(Choices.Taken)
    @on(Button.Pressed, "#save")
    def _enter(self) -> None:
        if self.name_field.parsed() is None:
            self.name_field.entry.focus()
        elif self.company.selected and self._reply_to_refused():
            self.reply_to.entry.focus()
        elif (draft := self._ready()) is not None:
            self._save(draft, replacing=False, displacing=False)

    def _reply_to_refused(self) -> bool:
        """Whether what stands there cannot be used, which is said then; it may be empty."""
        self.reply_to.parsed()
        return bool(self.reply_to.error)

    def _ready(self) -> Draft | None:
        """Return the draft with the way to the password as it is saved; None once it was said what is wrong with it."""
        draft = self.collect()
        if draft.store is None:
            return draft
        way = self.way.parsed(draft.store)
        return None if way is None else draft.with_store(draft.store, way)

    @work_once("save")
    async def _save(self, draft: Draft, *, replacing: bool, displacing: bool) -> None:
        """Save; ask where another account would be replaced or displaced; tell what could not be done; lose nothing."""
        self.banner.say("Saving ...")
        try:
            if not await unlocked(self.app, self.kit.desk.stores.vault, draft.store, creating=True):
                self.banner.say(VAULT_CLOSED)
                return
            account = await self.kit.desk.accounts.save(draft, replacing=replacing, displacing=displacing)
        except NameTaken:
            self.banner.say("")
            self._ask_replace(draft, displacing=displacing)
        except Displaces as problem:
            self.banner.say("")
            self._ask_displace(draft, problem.other.name, replacing=replacing)
        except SecretError as problem:
            self.banner.say(f"{problem} Choose another place for the password.")
            self.store.focus()
        except (AccountsError, InputError) as problem:
            self.banner.say(str(problem))
        else:
            self.go_on(replace(draft, saved=account.name))

    def _ask_replace(self, draft: Draft, *, displacing: bool) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._save(draft, replacing=True, displacing=displacing)
            else:
                self.name_field.fail(ANOTHER_NAME)
                self.name_field.entry.focus()

        self.app.push_screen(
            ConfirmScreen(replace_question(draft.name), yes=REPLACE_YES, no=REPLACE_NO),
            answered,
        )

    def _ask_displace(self, draft: Draft, other: str, *, replacing: bool) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._save(draft, replacing=replacing, displacing=True)
            else:
                self.scope.selected = Scope.GENERAL
                self.scope.focus()

        self.app.push_screen(
            ConfirmScreen(displace_question(other), yes=displace_yes(other), no=DISPLACE_NO),
            answered,
        )
