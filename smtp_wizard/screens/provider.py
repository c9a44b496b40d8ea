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

from smtp_wizard.engine.discovery.candidate import Candidate
from smtp_wizard.engine.providers.provider import Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft, Origin, with_candidate, with_choice
from smtp_wizard.engine.wizard.server_confirmation import doubt_about
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.text.discovery import (
    believed_words,
    found_question,
    offered,
    server_words,
    whose_sentence,
)
from smtp_wizard.text.wizard import (
    BY_HAND,
    CHANGE_THESE,
    OTHER_PROVIDER,
    PURPOSE,
    USE_THESE,
    ProviderAnswer,
    Tone,
    found_words,
    settings_words,
    then_and_now,
    unknown_words,
)
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.provider_picker import ProviderPicker
from smtp_wizard.widgets.text import Plain


class ProviderScreen(StepScreen):
    """Enter confirms what was found; everything else is one arrow away."""

    STEP = StepId.PROVIDER
    HELP: ClassVar[str] = PURPOSE[StepId.PROVIDER]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "details", "Then and now")]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        self.found = kit.desk.catalog.get(draft.connection.provider)
        catalog = kit.desk.catalog
        likely = [each for each in (catalog.get(each) for each in draft.maybe) if each is not None]
        self.picker = ProviderPicker(catalog, BY_HAND, likely, id="picker")
        rows: list[Choice[Candidate | ProviderAnswer]] = [
            *self._servers(),
            *([] if self._servers() else [Choice(ProviderAnswer.USE, USE_THESE)]),
            Choice(ProviderAnswer.CHANGE, CHANGE_THESE),
            Choice(ProviderAnswer.OTHER, OTHER_PROVIDER),
        ]
        at_first = ProviderAnswer.CHANGE if draft.by_hand and self._has_server else rows[0].value
        self.choices = Choices(rows, at_first, id="choices")
        self.card = Vertical(id="card")
        self.then_and_now = Plain("", id="then-and-now", classes="note")

    @property
    def _has_server(self) -> bool:
        return self.found is not None and self.found.kind is not ProviderKind.CUSTOM

    @property
    def _was_found(self) -> bool:
        """Whether somebody names a server, although its provider is not in the catalogue."""
        return not self._has_server and self.draft.origin is Origin.FOUND and self.draft.connection.endpoint is not None

    def _servers(self) -> list[Choice[Candidate]]:
        """The servers that were found, the likeliest first; nothing where the provider is known."""
        if not self._was_found:
            return []
        return [Choice(each, server_words(each), believed_words(each)) for each in offered(self.draft.candidates)]

    def body(self) -> Iterator[Widget]:
        if self._was_found:
            yield Plain(Content.styled(found_question(self.draft), "bold"), classes="question")
            yield Plain(self._found_settings(), id="settings")
            yield self.choices
            yield from self._notes()
        elif self.found is not None and self._has_server:
            yield Plain(self._found_words(self.found), classes="question")
            yield Plain(self._settings(self.found), id="settings")
            yield Plain(self.found.note, classes="note")
            yield from self._notes()
            yield self.choices
            yield self.then_and_now
        else:
            yield Plain(Content.styled(unknown_words(self.draft), "bold"), classes="question")
            if self.draft.origin_note:
                yield Plain(self.draft.origin_note, classes="note")
            yield from self._notes()
        yield self.picker

    def _notes(self) -> Iterator[Widget]:
        """What else was learnt while looking."""
        if self.draft.found_notes:
            yield Plain("\n".join(self.draft.found_notes), classes="note")

    def _found_settings(self) -> str:
        """The settings, as far as the list of servers does not say them."""
        endpoint = self.draft.connection.endpoint
        assert endpoint is not None, "it was found"
        user = f"User name {self.draft.connection.username}"
        if self.draft.candidates:
            return user
        server = f"Server {endpoint.host}   Port {endpoint.port}   Security {endpoint.security.words}"
        doubt = doubt_about(self.draft, self.kit.desk.catalog)
        return "\n".join([server, user, *([whose_sentence(doubt)] if doubt is not None else [])])

    def on_mount(self) -> None:
        self.then_and_now.display = False
        known = self._has_server or self._was_found
        self.picker.display = not known
        (self.choices if known else self.picker.entry).focus()

    def _found_words(self, provider: Provider) -> Content:
        name, origin = found_words(self.draft, provider)
        return Content.assemble((name, "bold"), (f"\n{origin}", "$foreground-muted"))

    def _settings(self, provider: Provider) -> str:
        return "\n".join(f"  {line}" for line in settings_words(self.draft, provider, self.kit.desk.catalog))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what was then and what is now only where the provider is known."""
        return self._has_server if action == "details" else True

    def action_details(self) -> None:
        """Show or hide what the article said, what holds today, and the sources."""
        if self.found is None:
            return
        self.then_and_now.display = not self.then_and_now.display
        if self.then_and_now.display:
            self.then_and_now.update(documented_content(self.found))
            self.then_and_now.scroll_visible(animate=False)

    @on(Choices.Taken)
    def _taken(self) -> None:
        match self.choices.selected:
            case Candidate() as server:
                self._use(self._with(server))
            case ProviderAnswer.USE:
                self._use(self.draft)
            case ProviderAnswer.CHANGE:
                self.go_on(replace(self.draft, by_hand=True))
            case _:
                self.picker.display = True
                self.picker.entry.focus()
                self.picker.scroll_visible(animate=False)

    def _with(self, server: Candidate) -> Draft:
        """The draft with a server that was found; as it is where that one stands in it already, first of all."""
        same = server == self.draft.candidates[0] and server.endpoint == self.draft.connection.endpoint
        return self.draft if same else with_candidate(self.draft, self.kit.desk.catalog, server)

    def _use(self, draft: Draft) -> None:
        """Go on with a server, once it is confirmed; where there is none, it is entered by hand."""
        self.go_on_confirmed(replace(draft, by_hand=draft.connection.endpoint is None), self.go_on)

    @on(ProviderPicker.Picked)
    def _picked(self, message: ProviderPicker.Picked) -> None:
        self.go_on(with_choice(self.draft, self.kit.desk.catalog, message.provider))


STYLES = {Tone.HEADING: "bold", Tone.WARNING: "$text-warning", Tone.FACT: ""}


def documented_content(provider: Provider) -> Content:
    """What the old article documents about a provider, what holds today, and how that is known."""
    return Content("\n").join(Content.styled(text, STYLES[tone]) for tone, text in then_and_now(provider))
