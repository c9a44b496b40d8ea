"""The wizard as a pure state machine: a Draft that only grows, steps that apply or not, and what is still missing.

Every face of the product drives it: the screens, and `setup` with options. A screen takes a Draft and returns `Next` or
`Back` with a Draft; nothing else is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.provider import AccessPath, PathAuth, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival, is_usable, signs_in_elsewhere

if TYPE_CHECKING:
    from smtp_wizard.engine.providers.catalog import Catalog


def may_be_nameless(draft: Draft, catalog: Catalog) -> bool:
    """Return whether no user name means no sign-in, since nothing is known about the provider that says otherwise."""
    provider = catalog.get(draft.connection.provider) if draft.connection.provider else None
    return provider is None or provider.kind is ProviderKind.CUSTOM


def with_typed_username(draft: Draft, catalog: Catalog, username: str) -> Draft:
    """Return the draft with the user name that stands in the person's field.

    An empty one means that the server asks for no sign-in, unless the provider is known to ask for one: then the name
    is still to be given.
    """
    auth = draft.connection.auth
    if not username and may_be_nameless(draft, catalog):
        auth = Auth.NONE
    elif username and auth is Auth.NONE:
        auth = Auth.PASSWORD
    named = draft.with_sign_in(username, draft.secret)
    return replace(named, connection=replace(named.connection, auth=auth))


def ranked(provider: Provider, application: Application | None) -> tuple[AccessPath, ...]:
    """Return a provider's paths, those first that are of use to the application; the catalogue's order within.

    A path that only OAuth opens is of no use to an application that takes a password, and nothing is proved for it by
    testing one here.
    """

    def rank(path: AccessPath) -> int:
        if path.closed:
            return 3
        if path.auth is PathAuth.OAUTH2:
            return 0 if application is Application.OAUTH else 2
        return 1

    return tuple(sorted(provider.paths, key=rank))


def takes_password(provider: Provider) -> bool:
    """Whether an application that has no more than a user name and a password can send through a provider."""
    return any(not path.closed and path.auth is not PathAuth.OAUTH2 for path in provider.paths)


def depends_on_application(provider: Provider) -> bool:
    """Whether it depends on the application which way in is the right one: one takes a password, one a browser."""
    return takes_password(provider) and any(signs_in_elsewhere(path) for path in provider.paths)


def best_way(provider: Provider, application: Application) -> AccessPath | None:
    """Return the way in to take when nobody chose: the first that is open to the application, and of use to it."""
    in_browser = application is Application.OAUTH
    usable = (path for path in ranked(provider, application) if is_usable(path))
    return next((path for path in usable if (path.auth is PathAuth.OAUTH2) == in_browser), None)


def alike_in_browser(providers: Sequence[Provider]) -> Provider | None:
    """Return the first of some providers, where it makes no difference to a sign-in by OAuth which it is.

    So it is where all have the same servers, the same form of user name, and one sign-in server. None: it does.
    """
    ways = [best_way(each, Application.OAUTH) for each in providers]
    differing = {
        (tuple(one.endpoint for one in each.offered()), each.username_form, way.oauth if way is not None else None)
        for each, way in zip(providers, ways, strict=True)
    }
    return providers[0] if len(differing) == 1 and ways[0] is not None else None


class StepId(StrEnum):
    """The steps by name, as the draft's file has them."""

    ADDRESS = "address"
    PROVIDER = "provider"
    SIGN_IN = "signin"
    SERVER = "server"
    BROWSER = "oauth"
    CONNECT = "connect"
    TEST_MAIL = "testmail"
    SAVE = "review"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the wizard."""

    id: StepId
    title: str
    """Its word in the line of steps."""
    applies: Callable[[Draft], bool]
    complete: Callable[[Draft], bool]


def _server_known(draft: Draft) -> bool:
    connection = draft.connection
    return connection.endpoint is not None and (bool(connection.username) or connection.auth is Auth.NONE)


def _provider_known(draft: Draft) -> bool:
    """Whether the provider is known, and its server too, unless that is to be typed."""
    connection = draft.connection
    return connection.provider is not None and (connection.endpoint is not None or draft.by_hand)


def _way_is_a_question(draft: Draft) -> bool:
    """Whether there is a choice; or one way only, which could not be taken by itself because nobody can walk it."""
    return draft.ways > 1 or (draft.ways == 1 and draft.connection.path is None)


def _in_browser(draft: Draft) -> bool:
    return draft.connection.auth is Auth.XOAUTH2 and not draft.token_elsewhere


STEPS: tuple[Step, ...] = (
    Step(StepId.ADDRESS, "Address", lambda draft: True, lambda draft: draft.address is not None),
    Step(StepId.PROVIDER, "Provider", lambda draft: True, _provider_known),
    Step(StepId.SIGN_IN, "Sign-in", _way_is_a_question, lambda draft: draft.connection.path is not None),
    Step(StepId.SERVER, "Server", lambda draft: draft.by_hand, _server_known),
    Step(StepId.BROWSER, "Browser", _in_browser, lambda draft: draft.secret is not None),
    Step(StepId.CONNECT, "Connect", lambda draft: True, lambda draft: draft.signed_in),
    Step(StepId.TEST_MAIL, "Test mail", lambda draft: True, lambda draft: draft.arrival is not ReportedArrival.UNASKED),
    Step(StepId.SAVE, "Save", lambda draft: True, lambda draft: draft.saved is not None),
    Step(StepId.DONE, "Done", lambda draft: True, lambda draft: False),
)


@dataclass(frozen=True, slots=True)
class Next:
    """A step is done; go on with this draft."""

    draft: Draft
    past: StepId | None = None
    """A later step that is answered with this one: what follows that one comes next."""


@dataclass(frozen=True, slots=True)
class Back:
    """Go to the step before, with everything typed."""

    draft: Draft


def step(step_id: StepId) -> Step:
    """Return a step by its id."""
    return next(each for each in STEPS if each.id is step_id)


def applicable(draft: Draft) -> tuple[Step, ...]:
    """Return the steps that this draft goes through, in order."""
    return tuple(each for each in STEPS if each.applies(draft))


def next_step(draft: Draft, after: Step) -> Step | None:
    """Return the step that follows, or None at the end."""
    return next((each for each in STEPS[STEPS.index(after) + 1 :] if each.applies(draft)), None)


def previous_step(draft: Draft, before: Step) -> Step | None:
    """Return the step before, or None at the beginning."""
    return next((each for each in reversed(STEPS[: STEPS.index(before)]) if each.applies(draft)), None)


def step_back(draft: Draft, before: Step) -> Step | None:
    """Return the step to go back to; None leads out of the wizard: from the first, and from where a change begins."""
    begins_here = draft.editing is not None and before is opening_step(draft)
    return None if begins_here else previous_step(draft, before)


def resume_step(draft: Draft) -> Step:
    """Return the first step that is not complete: where a draft goes on."""
    return next(each for each in STEPS if each.applies(draft) and not each.complete(draft))


def opening_step(draft: Draft) -> Step:
    """Return where a draft that is handed over begins: a saved account at its server, any other as `resume_step`.

    A saved account whose sign-in in the browser is to be made again begins there.
    """
    if draft.editing is None:
        return resume_step(draft)
    return step(StepId.BROWSER if _in_browser(draft) and draft.secret is None else StepId.SERVER)


LACKING_PASSWORD = "a password (--password-stdin, --password-command or --password-env)"


def missing(draft: Draft, *, secret_needed: bool = True) -> tuple[str, ...]:
    """Return what must still be answered before a check can run, as the names of `setup`'s options."""
    connection, no_secret = draft.connection, secret_needed and draft.secret is None
    wanted = {
        "EMAIL": draft.address is None,
        "--host": connection.endpoint is None,
        "--username": connection.auth is not Auth.NONE and not connection.username,
        LACKING_PASSWORD: no_secret and connection.auth is Auth.PASSWORD,
        "--client-id": no_secret and connection.auth is Auth.XOAUTH2 and not draft.client_id,
    }
    return tuple(name for name, lacking in wanted.items() if lacking)
