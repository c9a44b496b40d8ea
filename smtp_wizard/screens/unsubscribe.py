"""Unsubscribe link: what a mailing needs so that people can leave it, ready to copy; and a template looked through."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input

from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.private_files import absolute, read_bounded, write_private
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.unsubscribe import (
    LARGEST,
    SUBJECT,
    TemplateReport,
    Unsubscribe,
    check_template,
    rules,
    unsubscribe,
)
from smtp_wizard.screens.dialogs import Dialog, HelpScreen
from smtp_wizard.screens.step import Kit
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.fields import Field, TextInput
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.text import Plain

HELP = (
    "Every mailing that advertises needs a way out. Type the address that takes the requests; below stand the link for "
    "your template and the headers for whoever builds the message. A template can be looked through too: type its file."
)
FILE_NAME = "unsubscribe.txt"
LOOKING = "Looking through it ..."


_ANYBODY = Address("anybody", "example.com")


def _subject(text: str) -> str:
    """Return the subject as it was typed. Raises `InputError`."""
    unsubscribe(_ANYBODY, subject=text)
    return text


def _url(text: str) -> str:
    """Return the web address as it was typed. Raises `InputError`."""
    unsubscribe(_ANYBODY, url=text)
    return text


class UnsubscribeScreen(Dialog[None]):
    """The link, the HTML and the headers change as one types; Enter checks everything."""

    AUTO_FOCUS = "#unsubscribe-address"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("f5", "save", "Save to file"),
        Binding("f6", "template", "Check template"),
        Binding("f1", "help", "Help"),
    ]

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.banner = Banner()
        self.address = Field("Requests go to", TextInput(self._known(), id="unsubscribe-address"), parse=Address.parse)
        self.subject = Field("Subject", TextInput(SUBJECT, id="unsubscribe-subject"), parse=_subject)
        self.url = Field(
            "Web address",
            TextInput(placeholder="https://... for one-click; may be empty", id="unsubscribe-url"),
            parse=_url,
        )
        self.template = Field("Template file", TextInput(placeholder="letter.html", id="unsubscribe-file"))
        self.result = Plain("", id="unsubscribe-result", classes="note")
        self.found = Plain("", id="unsubscribe-found", classes="note")

    def _known(self) -> str:
        """Return the sender of the first account, '' where there is none; it is an offer, and its lack no fault."""
        try:
            accounts = self.kit.desk.book.list()
        except AccountsError:
            return ""  # the accounts' own screen says what is wrong with them
        return str(accounts[0].from_address) if accounts else ""

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled("Unsubscribe link", "bold"), classes="title")
        with VerticalScroll(id="body", can_focus=False):
            yield self.address
            yield self.subject
            yield self.url
            yield self.result
            yield self.template
            yield self.found
            yield Plain(_rules(), classes="note")
        yield self.banner
        yield KeyHints()

    def on_mount(self) -> None:
        self._made(quiet=True)

    def _made(self, *, quiet: bool) -> Unsubscribe | None:
        """Return what stands for the fields, and show it; say what is wrong unless somebody is still typing."""
        address, url, subject = self.address.read(), self.url.read(), self.subject.read()
        errors: list[tuple[Field[Any], str]] = [
            *((self.address, address.error), (self.url, url.error), (self.subject, subject.error)),
        ]
        for field, error in errors:
            if error:
                if not quiet:
                    field.fail(error)
                    field.entry.focus()
                self.result.update("")
                return None
            field.fail("")
        assert address.value is not None, "it can be used"
        made = unsubscribe(address.value, subject=subject.value or "", url=url.value or "")
        rows = [("Link", made.mailto), ("HTML", made.html), ("Text", made.text)]
        rows += [("Header", f"{name}: {value}") for name, value in made.headers]
        shown = [Content.assemble((f"{label:<8}", "bold"), value) for label, value in rows]
        if not made.one_click:
            shown.append(Content.styled("One-click for large mailings also needs a web address.", "$foreground-muted"))
        self.result.update(Content("\n").join(shown))
        return made

    @on(Input.Changed, "#unsubscribe-address")
    @on(Input.Changed, "#unsubscribe-subject")
    @on(Input.Changed, "#unsubscribe-url")
    def _typed(self) -> None:
        self._made(quiet=True)

    @on(Input.Submitted)
    def _enter(self, event: Input.Submitted) -> None:
        if event.input is self.template.entry:
            self.action_template()
        else:
            self._made(quiet=False)

    def action_save(self) -> None:
        """Write everything to a text file in the folder where the program was started."""
        made = self._made(quiet=False)
        if made is None:
            return
        path = Path(FILE_NAME)
        lines = [made.mailto, made.html, made.text, *(f"{name}: {value}" for name, value in made.headers)]
        try:
            path = path.absolute()
            if path.exists():
                self.banner.say(f"There is already a file {path}; it was left as it is.")
                return
            write_private(path, ("\n".join(lines) + "\n").encode())
        except OSError as problem:
            self.banner.say(f"{path} could not be written: {problem.strerror or 'the system refused'}.")
            return
        self.banner.say(f"Written to {path}.")

    def action_template(self) -> None:
        """Look for link, header and postal address in the template."""
        name = self.template.value.strip()
        if not name:
            self.template.fail("Type the name of the file, for example letter.html.")
            self.template.entry.focus()
            return
        self.template.fail("")
        self.found.update("")
        self.banner.say(LOOKING)
        self._look_through(Path(name))

    @work(exclusive=True, group="template")
    async def _look_through(self, path: Path) -> None:
        """Beside the screen: the file may be long, or lie far away. A new name takes over."""
        try:
            data = await in_thread(lambda: read_bounded(absolute(path), LARGEST, cut=True))
        except InputError as problem:
            self._not_read(str(problem))
            return
        except OSError as problem:
            self._not_read(f"That file could not be read: {problem.strerror or 'the system refused'}.")
            return
        report = await in_thread(lambda: check_template(data))
        self.banner.say("")
        self.found.update(_seen(report))

    def _not_read(self, why: str) -> None:
        self.banner.say("")
        self.template.fail(why)

    def work_failed(self) -> None:
        """Say no longer that the template is being looked through."""
        self.banner.say("")

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen("Unsubscribe link", HELP))


def _seen(report: TemplateReport) -> Content:
    """What a template has and lacks, a line each."""
    return Content("\n").join(
        Content.assemble((f"{'ok' if each.good else 'FAIL':<6}", "" if each.good else "bold $text-error"), each.words)
        for each in report.seen
    )


def _rules() -> Content:
    return Content("\n").join(Content.assemble((f"{each.name}: ", "bold"), each.words) for each in rules())
