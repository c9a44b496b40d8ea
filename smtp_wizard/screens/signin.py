"""Sign-in: which way in, ranked by what the application that will send can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.guides.guides import Guide, UnknownGuide
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.provider import AccessPath, PathStatus, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft, is_usable
from smtp_wizard.engine.wizard.steps import StepId, ranked
from smtp_wizard.screens.dialogs import LeadScreen
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.text.wizard import (
    ALL_THE_SAME,
    APPLICATIONS,
    PURPOSE,
    closed_title,
    closed_words,
    doubtful,
    path_mark,
    path_sources,
    path_words,
    signin_question,
)
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.text import Plain


class SignInScreen(StepScreen):
    """The access paths. A retired one leads to its explanation; one that needs a browser names two ways on."""

    STEP = StepId.SIGNIN
    AUTO_FOCUS = "#paths"
    HELP: ClassVar[str] = PURPOSE[StepId.SIGNIN]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        provider = kit.desk.catalog.get(draft.connection.provider)
        assert provider is not None, "the step applies only where a provider is known"
        self.provider: Provider = provider
        self.application = Choices(
            [Choice(each, title) for each, title in APPLICATIONS.items()],
            draft.application or Application.PASSWORD,
            id="application",
        )
        chosen = provider.path(draft.connection.path) if draft.connection.path else None
        self.paths = Choices(self._rows(), chosen, id="paths")
        self.about = Plain("", classes="note", id="about")

    @property
    def _application(self) -> Application:
        return self.application.selected

    @property
    def _practice(self) -> bool:
        return self.provider.kind is ProviderKind.SANDBOX

    def body(self) -> Iterator[Widget]:
        yield Plain(Content.styled(signin_question(self.provider), "bold"), classes="question")
        yield self.paths
        yield self.about
        if not self._practice:
            yield Plain(Content.styled("The application that will send (Tab moves here):", "bold"), classes="question")
            yield self.application

    def on_mount(self) -> None:
        self._describe()

    def _rows(self) -> list[Choice[AccessPath]]:
        return [Choice(path, path.title, path_mark(path)) for path in ranked(self.provider, self._application)]

    @on(Choices.Changed, "#paths")
    def _describe(self) -> None:
        path = self.paths.selected
        parts = [path_words(path)]
        if path.status is PathStatus.RETIRED:
            parts.append("Enter shows what replaced it.")
        elif not is_usable(path):
            parts.append("Enter names two ways on.")
        sources = path_sources(self.provider, path)
        text = Content("\n").join(
            [
                Content(" ".join(part for part in parts if part)),
                *([Content.styled(f"Source: {sources}", "$foreground-muted")] if sources else []),
            ]
        )
        self.about.update(text)

    @on(Choices.Changed, "#application")
    def _re_rank(self) -> None:
        self.paths.offer(self._rows())
        self._describe()

    @on(Choices.Taken, "#application")
    def _application_taken(self) -> None:
        self.paths.focus()

    @on(Choices.Taken, "#paths")
    def _taken(self) -> None:
        self._choose(self.paths.selected)

    def _choose(self, path: AccessPath, *, insisted: bool = False) -> None:
        if is_usable(path) and (insisted or not doubtful(path, self._application)):
            self.go_on(self.collect().with_path(path))
        else:
            self._explain(path)

    def _explain(self, path: AccessPath) -> None:
        """Say why a path cannot be walked and where it leads; the answer may be another path."""
        ways = self.provider.ways_on(path)
        choices = [Choice(way, way.title) for way in ways if isinstance(way, AccessPath)]
        choices += [Choice(path, ALL_THE_SAME)] if is_usable(path) else []
        sentences = [way for way in ways if isinstance(way, str)]
        why = closed_words(path)
        if sentences:
            why += "\n\nOther ways on:\n" + "\n".join(f" - {sentence}" for sentence in sentences)
        guide = None if is_usable(path) else self._guide(path)
        self.app.push_screen(LeadScreen(closed_title(path), why, choices, guide), self._led)

    def _led(self, path: AccessPath | None) -> None:
        if path is not None:
            insisted = path == self.paths.selected
            self.paths.selected = path
            self._choose(path, insisted=insisted)

    def _guide(self, path: AccessPath) -> Guide | None:
        try:
            return self.kit.shelf.get(path.guide) if path.guide else None
        except UnknownGuide:
            return None

    def collect(self) -> Draft:
        return replace(self.draft, application=self._application)
