"""Which application will send: asked once, where it decides which way in is the right one, and remembered."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import depends_on_application
from smtp_wizard.text.provider import APPLICATION_QUESTION, OTHER_IN_BROWSER, OTHER_WITH_PASSWORD


@dataclass(frozen=True, slots=True)
class ApplicationAnswer:
    """One of the applications that may send."""

    application: Application
    words: str
    name: str = ""
    """Its name, where it is one that is known by it."""


@dataclass(frozen=True, slots=True)
class ApplicationQuestion:
    """The question, with the answer that stands now."""

    answers: tuple[ApplicationAnswer, ...]
    chosen: ApplicationAnswer
    label: str = APPLICATION_QUESTION


def application_answers(catalog: Catalog) -> tuple[ApplicationAnswer, ...]:
    """Return all answers: the applications that are known by name, and what any other one may be."""
    return (
        *(ApplicationAnswer(each.can, each.name, each.name) for each in catalog.applications),
        ApplicationAnswer(Application.PASSWORD, OTHER_WITH_PASSWORD),
        ApplicationAnswer(Application.OAUTH, OTHER_IN_BROWSER),
    )


def application_question(draft: Draft, provider: Provider, catalog: Catalog) -> ApplicationQuestion | None:
    """Return the question, None where the answer would change nothing."""
    if not depends_on_application(provider):
        return None
    answers = application_answers(catalog)
    said = (draft.application, draft.application_name)
    chosen = next((each for each in answers if (each.application, each.name) == said), None)
    if chosen is None and draft.application is not None:
        chosen = next((each for each in answers if each.application is draft.application and not each.name), None)
    return ApplicationQuestion(answers, chosen or answers[0])


def with_application(draft: Draft, answer: ApplicationAnswer) -> Draft:
    """Return the draft with the answer."""
    return replace(draft, application=answer.application, application_name=answer.name)
