"""Provider: is this right? What was found, from where, how old; another one; or the server by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.catalog import Provider, ProviderKind
from smtp_wizard.engine.model import Security
from smtp_wizard.engine.wizard import Draft, Origin
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.widgets import Choice, Choices, Plain, ProviderPicker

USE, CHANGE, OTHER = "use", "change", "other"


class ProviderScreen(StepScreen):
    """Enter confirms what was found; everything else is one arrow away."""

    STEP = "provider"
    HELP: ClassVar[str] = (
        "Every mailbox lives at a provider, and each provider has its own outgoing server. Here you see which one "
        "belongs to your address, how we know, and when it was last checked. If it is wrong, choose another one or "
        "enter the server by hand."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "details", "Then and now")]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        self.found = kit.desk.provider(draft.provider)
        catalog = kit.desk.catalog
        likely = [each for each in (catalog.get(each) for each in draft.maybe) if each is not None]
        self.picker = ProviderPicker(
            catalog, "My provider is not listed: enter the server by hand", likely, id="picker"
        )
        self.choices = Choices(
            [
                Choice(USE, "Use these settings"),
                Choice(CHANGE, "Look at the server's settings, and change them by hand"),
                Choice(OTHER, "Choose another provider"),
            ],
            CHANGE if draft.by_hand and self._has_server else USE,
            id="choices",
        )
        self.card = Vertical(id="card")
        self.then_and_now = Plain("", id="then-and-now", classes="note")

    @property
    def _has_server(self) -> bool:
        return self.found is not None and self.found.kind is not ProviderKind.CUSTOM

    def body(self) -> Iterator[Widget]:
        if self.found is not None and self._has_server:
            yield Plain(self._found_words(self.found), classes="question")
            yield Plain(self._settings(self.found), id="settings")
            yield Plain(self.found.note, classes="note")
            yield self.choices
            yield self.then_and_now
        else:
            yield Plain(Content.styled(self._unknown_words(), "bold"), classes="question")
            if self.draft.origin_note:
                yield Plain(self.draft.origin_note, classes="note")
        yield self.picker

    def on_mount(self) -> None:
        self.then_and_now.display = False
        known = self._has_server
        self.picker.display = not known
        (self.choices if known else self.picker.entry).focus()

    def _unknown_words(self) -> str:
        if self.draft.maybe:
            return "Several providers share this mail server. Which one is yours?"
        return "Who runs your mailbox? Choose your provider."

    def _found_words(self, provider: Provider) -> Content:
        begin = "You chose" if self.draft.origin is Origin.CHOSEN else "Found"
        note = f"{self.draft.origin_note}   " if self.draft.origin_note else ""
        return Content.assemble(
            (f"{begin}: {provider.name}", "bold"),
            (f"\n{note}settings checked: {provider.checked}", "$foreground-muted"),
        )

    def _settings(self, provider: Provider) -> str:
        endpoint = self.draft.endpoint
        if endpoint is None:
            return "  The server must be entered by hand for this provider."
        lines = f"  Server {endpoint.host}   Port {endpoint.port}   Security {endpoint.security.words}"
        return f"{lines}\n  User name {self.draft.username or provider.username_note or 'see the next step'}"

    def action_details(self) -> None:
        """Show or hide what the article said, what holds today, and the sources."""
        if self.found is None:
            return
        self.then_and_now.display = not self.then_and_now.display
        if self.then_and_now.display:
            self.then_and_now.update(then_and_now(self.found))
            self.then_and_now.scroll_visible(animate=False)

    @on(Choices.Taken)
    def _taken(self, message: Choices.Taken) -> None:
        match message.choice_id:
            case "use":
                self.go_on(replace(self.draft, by_hand=self.draft.endpoint is None))
            case "change":
                self.go_on(replace(self.draft, by_hand=True))
            case _:
                self.picker.display = True
                self.picker.entry.focus()
                self.picker.scroll_visible(animate=False)

    @on(ProviderPicker.Picked)
    def _picked(self, message: ProviderPicker.Picked) -> None:
        catalog = self.kit.desk.catalog
        wanted = catalog.get(message.provider_id) or next(
            each for each in catalog.providers if each.kind is ProviderKind.CUSTOM
        )
        origin = Origin.CHOSEN if message.provider_id else Origin.HAND
        draft = self.draft.with_provider(wanted, origin, "your choice" if message.provider_id else "")
        self.go_on(replace(draft, by_hand=draft.by_hand or draft.endpoint is None))


def then_and_now(provider: Provider) -> Content:
    """What the old article documents about a provider, what holds today, and how that is known."""
    lines: list[Content] = [Content.styled("What the old help article says", "bold")]
    documented = provider.documented
    if documented is None:
        lines.append(Content("  The article does not name this provider."))
    else:
        lines += [Content(f"  “{line}”") for line in documented.smtp_lines]
        lines += [Content.styled(f"  no longer true: {line}", "$text-warning") for line in documented.false_today]
        lines += [Content(f"  still true: {line}") for line in documented.still_true]
    lines.append(Content.styled("What holds today", "bold"))
    for each in provider.endpoints:
        bare = "  never offered: it is not encrypted" if each.endpoint.security is Security.NONE else ""
        words = f"  {each.endpoint}, {each.endpoint.security.words}{bare}  ({each.confidence}, {each.as_of})"
        lines.append(Content(words))
    for gone in provider.retirements:
        lines.append(Content.styled(f"  {gone.date}: {gone.what}: {gone.state}", "$text-warning"))
        lines.append(Content(f"    instead: {gone.replacement}"))
    lines.append(Content.styled("Sources", "bold"))
    lines += [Content(f"  {source.title} ({source.date})  {source.url}") for source in provider.sources]
    return Content("\n").join(lines)
