"""The wizard as a state machine: forth and back is where one was, and nothing outlives what it was true for."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import AccessPath, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof, ReportedArrival, is_usable, with_choice
from smtp_wizard.engine.wizard.steps import (
    STEPS,
    Step,
    StepId,
    applicable,
    missing,
    next_step,
    opening_step,
    previous_step,
    ranked,
    resume_step,
    step,
    with_typed_username,
)

CATALOG = load_catalog()
PROVIDERS = CATALOG.providers
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

addresses = st.builds(
    Address, st.sampled_from(["ana", "office"]), st.sampled_from(["gmail.com", "sandbox.test", "firma.example"])
)
endpoints = st.builds(
    Endpoint,
    st.sampled_from(["smtp.one.example", "smtp.two.example"]),
    st.integers(1, 65535),
    st.sampled_from(Security),
)
secrets = st.text(max_size=20).map(lambda text: Secret(f"\u2603{text}"))
usernames = st.sampled_from(["", "ana", "ana@gmail.com"])


def proofs(endpoint: st.SearchStrategy[Endpoint] = endpoints) -> st.SearchStrategy[Proof]:
    """Proofs, good and bad ones."""
    return st.builds(Proof, st.just(NOW), st.sampled_from(Depth), st.sampled_from(Verdict), endpoint, usernames)


connections: st.SearchStrategy[Connection[Endpoint | None]] = st.builds(
    Connection,
    endpoint=st.none() | endpoints,
    username=usernames,
    auth=st.sampled_from(Auth),
    provider=st.none() | st.sampled_from([each.id for each in PROVIDERS]),
    path=st.none() | st.sampled_from(["app-password", "password", "no-sign-in"]),
    allow_cleartext=st.booleans(),
)
drafts = st.builds(
    Draft,
    address=st.none() | addresses,
    connection=connections,
    ways=st.integers(0, 5),
    by_hand=st.booleans(),
    secret=st.none() | secrets,
    proof=st.none() | proofs(),
    arrival=st.sampled_from(ReportedArrival),
    saved=st.none() | st.just("Office"),
    editing=st.none() | st.just("Office"),
    typed=st.dictionaries(st.sampled_from(["port", "host"]), st.text(max_size=5)),
)
steps = st.sampled_from(STEPS)


# --- forth and back ---


@given(drafts, steps)
def test_back_undoes_next(draft: Draft, at: Step) -> None:
    """Wherever one stands: one step on and one step back is the same step."""
    following = next_step(draft, at)
    if at.applies(draft) and following is not None:
        assert previous_step(draft, following) is at


@given(drafts, steps)
def test_next_undoes_back(draft: Draft, at: Step) -> None:
    earlier = previous_step(draft, at)
    if at.applies(draft) and earlier is not None:
        assert next_step(draft, earlier) is at


@given(drafts)
def test_going_on_passes_each_step_that_applies_once_and_ends(draft: Draft) -> None:
    at: Step | None = STEPS[0]
    passed: list[Step] = []
    while at is not None:
        passed.append(at)
        at = next_step(draft, at)
    assert tuple(passed) == applicable(draft)
    assert (passed[0].id, passed[-1].id) == ("address", "done")


@given(drafts)
def test_a_draft_goes_on_at_its_first_open_question(draft: Draft) -> None:
    at = resume_step(draft)
    assert not at.complete(draft)
    before = applicable(draft)[: applicable(draft).index(at)]
    assert all(each.complete(draft) for each in before)
    again = draft.connection.auth is Auth.XOAUTH2 and draft.secret is None
    assert opening_step(draft) is (step(StepId.BROWSER if again else StepId.SERVER) if draft.editing else at)


def test_every_name_is_that_of_one_step() -> None:
    assert [step(each) for each in StepId] == list(STEPS)


# --- nothing outlives what it was true for ---


@given(drafts, endpoints)
def test_another_server_takes_proof_and_consent_away(draft: Draft, endpoint: Endpoint) -> None:
    """A yes to an unencrypted password holds for the server it was given for; so does a proof."""
    changed = draft.with_endpoint(endpoint)
    assert changed.connection.endpoint == endpoint
    if endpoint == draft.connection.endpoint:
        assert changed is draft
    else:
        assert not changed.connection.allow_cleartext
        assert not changed.signed_in
        assert changed.saved is None
    assert changed.secret == draft.secret, "what was typed is not lost"


@given(drafts, usernames, st.none() | secrets)
def test_another_sign_in_must_be_proved_anew(draft: Draft, username: str, secret: Secret | None) -> None:
    changed = draft.with_sign_in(username, secret)
    assert (changed.connection.username, changed.secret) == (username, secret)
    if (username, secret) == (draft.connection.username, draft.secret):
        assert changed is draft
    else:
        assert not changed.signed_in


@given(drafts, addresses)
def test_another_domain_drops_what_was_found_for_the_old_one(draft: Draft, address: Address) -> None:
    changed = draft.with_address(address)
    assert changed.address == address
    if draft.address == address:
        assert changed is draft
    elif draft.address is not None and draft.address.domain == address.domain:
        assert (changed.connection.provider, changed.connection.endpoint, changed.secret) == (
            draft.connection.provider,
            draft.connection.endpoint,
            draft.secret,
        )
        assert not changed.signed_in
    else:
        assert (changed.connection.provider, changed.connection.path, changed.connection.endpoint, changed.secret) == (
            None,
            None,
            None,
            None,
        )
        assert (changed.connection.username, changed.connection.allow_cleartext, changed.signed_in) == (
            "",
            False,
            False,
        )


def test_another_address_of_the_same_domain_has_proved_nothing() -> None:
    """Also where the user name is none of the address's: the sender is another, and the server may refuse it."""
    endpoint = Endpoint("mail.example.test", 465, Security.TLS)
    proof = Proof(datetime(2026, 11, 30, tzinfo=UTC), Depth.LOGIN, Verdict.PASS, endpoint, "key-17")
    draft = Draft(
        address=Address("ana", "example.test"), connection=Connection(endpoint=endpoint, username="key-17"), proof=proof
    )
    assert draft.signed_in
    changed = draft.with_address(Address("bob", "example.test"))
    assert (changed.proof, changed.signed_in, changed.connection.username) == (None, False, "key-17")


@given(addresses)
def test_the_user_name_follows_the_address_until_somebody_types_another(address: Address) -> None:
    draft = Draft(
        address=Address("old", address.domain), connection=Connection(endpoint=None, username=f"old@{address.domain}")
    )
    assert draft.with_address(address).connection.username == address.wire
    assert (
        replace(draft, connection=replace(draft.connection, username="key-17"))
        .with_address(address)
        .connection.username
        == "key-17"
    )


@given(drafts, st.sampled_from(PROVIDERS))
def test_another_provider_brings_its_own_server(draft: Draft, provider: Provider) -> None:
    changed = draft.with_provider(provider, Origin.CHOSEN, "your choice")
    assert (changed.connection.provider, changed.origin) == (provider.id, Origin.CHOSEN)
    if provider.id == draft.connection.provider:
        assert (changed.connection.endpoint, changed.secret, changed.connection.path) == (
            draft.connection.endpoint,
            draft.secret,
            draft.connection.path,
        )
        return
    assert changed.connection.endpoint == provider.best(draft.address)
    assert (changed.secret, changed.signed_in, changed.connection.allow_cleartext) == (None, False, False)
    alone = len(provider.paths) == 1 and is_usable(provider.paths[0])
    assert changed.connection.path == (provider.paths[0].id if alone else None)


EVERY_PATH = [path for provider in PROVIDERS for path in provider.paths]


@given(drafts, st.sampled_from(EVERY_PATH))
def test_another_way_in_takes_no_password_along(draft: Draft, path: AccessPath) -> None:
    changed = draft.with_path(path)
    assert changed.connection.path == path.id
    if path.id == draft.connection.path:
        assert changed is draft
        return
    assert (changed.secret, changed.signed_in) == (None, False)
    assert changed.connection.auth is path.auth.needs
    assert not (changed.connection.auth is Auth.NONE and changed.connection.username)


@given(drafts, endpoints)
def test_a_proof_holds_for_one_server_and_one_user_name(draft: Draft, endpoint: Endpoint) -> None:
    proof = draft.proof
    expected = (
        proof is not None
        and proof.verdict in (Verdict.PASS, Verdict.WARN)
        and (proof.endpoint, proof.username) == (draft.connection.endpoint, draft.connection.username)
        and (proof.depth in (Depth.LOGIN, Depth.SEND) or draft.connection.auth is Auth.NONE)
    )
    assert draft.signed_in is expected


# --- what stands in a field and cannot be used ---


@given(drafts, st.sampled_from(["port", "host", "address"]), st.text(max_size=20))
def test_what_cannot_be_used_is_kept_until_it_can(draft: Draft, field: str, text: str) -> None:
    kept = draft.with_typed(field, text)
    assert kept.typed[field] == text
    assert {name: words for name, words in kept.typed.items() if name != field} == {
        name: words for name, words in draft.typed.items() if name != field
    }
    assert field not in kept.with_typed(field, None).typed


@given(drafts)
def test_a_draft_never_shows_its_secret(draft: Draft) -> None:
    assert "\u2603" not in repr(replace(draft, typed={}))
    assert not next(each for each in fields(Draft) if each.name == "secret").repr


# --- ways in, and what is missing ---


@given(st.sampled_from(PROVIDERS), st.none() | st.sampled_from(Application))
def test_closed_ways_stand_last_and_none_is_left_out(provider: Provider, application: Application | None) -> None:
    order = ranked(provider, application)
    assert sorted(order, key=lambda each: each.id) == sorted(provider.paths, key=lambda each: each.id)
    closed = [each.closed for each in order]
    assert closed == sorted(closed)


def test_an_application_that_opens_a_browser_is_offered_that_first() -> None:
    provider = next(each for each in PROVIDERS if any(not is_usable(p) and not p.closed for p in each.paths))
    assert not is_usable(ranked(provider, Application.OAUTH)[0])
    assert all(is_usable(each) or not each.closed for each in ranked(provider, Application.OAUTH)[:1])
    first = ranked(provider, Application.PASSWORD)[0]
    assert is_usable(first) or not any(is_usable(each) for each in provider.paths)


def test_a_pick_of_no_provider_is_the_server_by_hand() -> None:
    """The last row of the list of providers."""
    draft = with_choice(Draft(address=Address("ana", "firma.example")), CATALOG, None)
    provider = CATALOG.get(draft.connection.provider or "")
    assert provider is not None
    assert provider.kind is ProviderKind.CUSTOM
    assert (draft.origin, draft.by_hand) == (Origin.HAND, True)


def test_a_provider_whose_server_nobody_knows_is_entered_by_hand() -> None:
    unknown = next(each for each in PROVIDERS if each.best() is None and each.kind is not ProviderKind.CUSTOM)
    assert with_choice(Draft(address=Address("ana", "firma.example")), CATALOG, unknown).by_hand


def test_what_is_missing_is_named_as_the_options_of_the_command_line() -> None:
    draft = Draft()
    assert missing(draft)[:3] == ("EMAIL", "--host", "--username")
    assert len(missing(draft)) == 4
    assert len(missing(draft, secret_needed=False)) == 3
    complete = Draft(
        address=Address("ana", "firma.example"),
        connection=Connection(endpoint=Endpoint("mail.firma.example", 587, Security.STARTTLS), username="ana"),
        secret=Secret("x"),
    )
    assert missing(complete) == ()
    assert (
        missing(replace(complete, connection=replace(complete.connection, username="", auth=Auth.NONE), secret=None))
        == ()
    )


def test_a_known_provider_is_never_left_without_a_sign_in_because_its_user_name_is_still_to_come() -> None:
    """Only where nothing is known of the server does an empty user name mean that it asks for no sign-in."""
    waits = [each for each in PROVIDERS for path in each.paths if is_usable(path) and path.auth.needs is Auth.PASSWORD]
    wrong = []
    for provider in waits:
        chosen = with_choice(Draft(address=Address("ana", "firma.example")), CATALOG, provider)
        chosen = replace(chosen, connection=replace(chosen.connection, auth=Auth.PASSWORD))
        expected = Auth.NONE if provider.kind is ProviderKind.CUSTOM else Auth.PASSWORD
        if with_typed_username(chosen, CATALOG, "").connection.auth is not expected:
            wrong.append(provider.id)
        if (
            with_typed_username(
                replace(chosen, connection=replace(chosen.connection, auth=Auth.NONE)), CATALOG, "ana"
            ).connection.auth
            is not Auth.PASSWORD
        ):
            wrong.append(provider.id)
    assert wrong == []
