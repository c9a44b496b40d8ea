"""The draft on disk: whole or not at all, private, without the secret, and no trap for the next start."""

from __future__ import annotations

import json
import stat
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.records import write_record
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof, ReportedArrival
from smtp_wizard.engine.wizard.draft_file import ASIDE, FILE_NAME, LARGEST, DraftFile
from smtp_wizard.engine.wizard.steps import STEPS, StepId, applicable, step
from smtp_wizard.text.wizard import resume_question
from tests.support.nouns import with_fields

ENDPOINT = Endpoint("mail.example.test", 587, Security.STARTTLS)
ANA = Address("ana", "example.test")
FULL = Draft(
    address=ANA,
    connection=Connection(
        provider="custom",
        path="password",
        endpoint=ENDPOINT,
        username="ana",
        auth=Auth.PASSWORD,
        allow_cleartext=True,
        ehlo_name="shop.example.test",
        ca_file="/etc/ca.pem",
        sandbox=None,
    ),
    origin=Origin.HAND,
    origin_note="your choice",
    maybe=("a", "b"),
    ways=2,
    application=Application.OAUTH,
    by_hand=True,
    identity=Identity(
        sender=Address("office", "example.test"),
        sender_name="Ana's Cleaning",
        update_company=True,
        company_name="Ana",
        reply_to=ANA,
    ),
    secret=Secret("correct horse battery"),
    ticks=frozenset({"custom/1", "custom/2"}),
    proof=Proof(datetime(2026, 11, 24, tzinfo=UTC), Depth.LOGIN, Verdict.PASS, ENDPOINT, "ana"),
    test_to=Address("bob", "example.test"),
    arrival=ReportedArrival.NOT_YET,
    name="Office",
    scope=Scope.ALL,
    store=StoreKind.ENV,
    env_name="MAIL_PASSWORD",
    secret_command="pass show mail",
    secret_file="/run/secrets/mail",
    editing="Old",
    typed={"port": "abc"},
)


def test_every_field_is_kept_but_secret_proof_and_where_it_was_saved(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    assert box.save(FULL, step(StepId.SERVER))
    kept = box.load()
    assert kept is not None
    assert kept.draft == replace(FULL, secret=None, proof=None)
    names = {each.name for noun in (Draft, Connection, Identity) for each in fields(noun)} - {"connection", "identity"}
    written = json.loads((tmp_path / FILE_NAME).read_bytes())["draft"]
    assert names - written.keys() == {
        "secret",
        "client_secret",
        "token_elsewhere",
        "proof",
        "saved",
        "candidates",
        "found_notes",
        "filtered_by",
    }
    assert written.keys() <= names


def test_the_secret_is_nowhere_in_the_file_and_the_file_is_private(tmp_path: Path) -> None:
    DraftFile(tmp_path).save(FULL, step(StepId.SAVE))
    file = tmp_path / FILE_NAME
    assert b"correct horse" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_the_password_it_goes_on_at_the_sign_in_and_not_later(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    box.save(FULL, step(StepId.SAVE))
    kept = box.load()
    assert kept is not None
    assert kept.step.id == "connect"


def test_it_goes_on_where_the_person_stopped_when_that_is_earlier(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    box.save(FULL, step(StepId.PROVIDER))
    kept = box.load()
    assert kept is not None
    assert kept.step.id == "provider"


def test_a_step_that_applies_no_longer_is_not_gone_back_to(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    box.save(replace(FULL, by_hand=False), step(StepId.SERVER))
    kept = box.load()
    assert kept is not None
    assert kept.step.id == "connect"


def test_before_anything_is_typed_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    assert DraftFile(folder).save(Draft(), STEPS[0])
    assert DraftFile(folder).save(Draft(typed={"address": ""}), STEPS[0])
    assert not folder.exists()
    assert DraftFile(folder).load() is None


def test_clearing_forgets_it(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    box.save(FULL, step(StepId.SERVER))
    box.clear()
    box.clear()
    assert box.load() is None
    assert not (tmp_path / FILE_NAME).exists()


def damaged() -> list[bytes]:
    good = {"schema": "smtp-wizard/draft-file/1", "step": "server", "draft": {}}
    return [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 5000,
        b" " * 70000,
        json.dumps(good).encode(),
        json.dumps({**good, "step": 5}).encode(),
        b'{"a":' * 5000,
        b"9" * 5000,
    ]


@pytest.mark.parametrize("data", damaged())
def test_what_cannot_be_read_is_put_aside_and_begun_anew(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(data)
    assert DraftFile(tmp_path).load() is None
    assert not file.exists()
    assert file.with_name(FILE_NAME + ASIDE).read_bytes() == data


NOUNS = (Draft(), Draft().connection, Draft().identity)
TEXT_FIELDS = [
    *(each.name for noun in NOUNS for each in fields(noun) if type(getattr(noun, each.name)) is str),
    *("provider", "path", "ca_file", "sandbox", "editing"),
]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "ana"),
        ("address", 3),
        ("address", "ana@example.com\r\nRCPT TO:<eve@example.net>"),
        ("address", "ana\n@example.com"),
        ("address", "ana@exa mple.com"),
        ("address", "ana@example.com>"),
        ("address", "ana@\u2603\u200b.com"),
        ("sender", "ana@example.com\0"),
        ("test_to", "ana@example.com\n"),
        ("reply_to", "\ud800@example.com"),
        ("endpoint", {"host": "http://x", "port": 1, "security": "tls"}),
        ("endpoint", {"host": "x.test", "port": 99999, "security": "tls"}),
        ("endpoint", {"host": "x.test", "port": 25, "security": "rot13"}),
        ("by_hand", "yes"),
        ("by_hand", None),
        ("ways", True),
        ("ticks", "abc"),
        ("ticks", [1]),
        ("typed", []),
        ("store", "clear-text"),
        ("username", None),
        *((name, bad) for name in TEXT_FIELDS for bad in ("a\r\nb", "a\0b", "a\x85b", "a\x1bb", "a\ud800b")),
        ("ticks", ["gmail/\n"]),
        ("maybe", ["gmail\r"]),
        ("typed", {"host": "a\nb"}),
        ("typed", {"a\nb": "host"}),
        ("endpoint", {"host": "x.test", "port": "\u0665\u0668\u0667", "security": "tls"}),
        ("endpoint", {"host": "x.test", "port": "25", "security": "tls"}),
        ("origin", "a-later-one"),
        ("application", "a-later-one"),
        ("arrival", "a-later-one"),
        ("scope", "a-later-one"),
        ("auth", "a-later-one"),
    ],
)
def test_a_field_that_is_not_as_it_must_be_puts_the_whole_aside(tmp_path: Path, field: str, value: object) -> None:
    box, file = DraftFile(tmp_path), tmp_path / FILE_NAME
    box.save(FULL, step(StepId.SERVER))
    document = json.loads(file.read_bytes())
    document["draft"][field] = value
    file.write_text(json.dumps(document))
    assert box.load() is None
    assert file.with_name(FILE_NAME + ASIDE).exists()


FIRST = json.loads((Path(__file__).parents[2] / "corpus" / "files" / "draft.json").read_text())


@pytest.mark.parametrize("port", [587, "99999", " 587", "\u0665\u0668\u0667", "", None, True, ["587"]], ids=repr)
def test_a_port_of_the_first_form_is_a_text(tmp_path: Path, port: object) -> None:
    box, file = DraftFile(tmp_path), tmp_path / FILE_NAME
    endpoint = {**FIRST["draft"]["endpoint"], "port": port}
    file.write_text(json.dumps({**FIRST, "draft": {**FIRST["draft"], "endpoint": endpoint}}))
    assert (box.load() is None) == (port != " 587")


def test_a_draft_of_the_first_form_without_a_server_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps({**FIRST, "draft": {**FIRST["draft"], "endpoint": None}}))
    kept = DraftFile(tmp_path).load()
    assert kept is not None
    assert kept.draft.connection.endpoint is None


def test_a_folder_in_its_place_is_said_by_the_return_value_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    box = DraftFile(tmp_path)
    assert not box.save(FULL, step(StepId.SERVER))
    assert box.load() is None


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=40)


@given(TEXTS, st.frozensets(TEXTS, max_size=3))
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, text: str, ticks: frozenset[str]
) -> None:
    box = DraftFile(tmp_path_factory.mktemp("drafts"))
    draft = Draft(address=ANA, identity=Identity(sender_name=text), ticks=ticks, typed={"host": text})
    assert box.save(draft, STEPS[1])
    kept = box.load()
    assert kept is not None
    assert kept.draft == draft


STEP_IDS = [each.id for each in STEPS]


@pytest.mark.parametrize("stopped", ["a-step-of-a-later-version", "", None, 7, [], {}, ["server"], "server\n"])
def test_a_step_of_another_version_puts_it_aside(tmp_path: Path, stopped: object) -> None:
    box, file = DraftFile(tmp_path), tmp_path / FILE_NAME
    box.save(FULL, step(StepId.SERVER))
    document = json.loads(file.read_bytes())
    document["step"] = stopped
    file.write_text(json.dumps(document))
    assert box.load() is None
    assert file.with_name(FILE_NAME + ASIDE).exists()
    assert str(file.with_name(FILE_NAME + ASIDE)) in box.problem


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(STEP_IDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(write_record(FULL))), ANYTHING, st.sampled_from(STEP_IDS) | ANYTHING)
def test_whatever_stands_in_it_loading_ends_in_a_draft_or_in_none(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: object, stopped: object
) -> None:
    box = DraftFile(tmp_path_factory.mktemp("drafts"))
    box.save(FULL, step(StepId.SERVER))
    document = json.loads(box._file.read_bytes())
    document["draft"][field], document["step"] = value, stopped
    box._file.write_text(json.dumps(document))
    kept = box.load()
    assert (kept is None) == bool(box.problem)
    if kept is not None:
        assert resume_question(kept.draft, kept.step)
        assert kept.step in applicable(kept.draft)


@given(st.text(st.characters(), max_size=20))
def test_what_was_typed_is_kept_whatever_it_is(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Pasted halves of characters and control characters, too, which no field takes."""
    box = DraftFile(tmp_path_factory.mktemp("drafts"))
    assert box.save(Draft(address=ANA, typed={"host": text}), STEPS[1])
    kept = box.load()
    assert kept is not None
    assert len(kept.draft.typed["host"]) == len(text)


@pytest.mark.parametrize("field", ["ca_file", "ehlo_name", "username"])
@pytest.mark.parametrize("text", ["a\nb", "a\0b", "a\udcffb"])
def test_what_no_field_takes_costs_that_field_only(tmp_path: Path, field: str, text: str) -> None:
    box = DraftFile(tmp_path)
    draft = with_fields(replace(FULL, secret=None, proof=None), **{field: text})
    assert box.save(draft, step(StepId.SERVER))
    kept = box.load()
    assert kept is not None
    assert kept.draft == with_fields(draft, **{field: "a b"})


def test_a_paste_of_a_whole_file_does_not_cost_the_draft(tmp_path: Path) -> None:
    """A draft that is larger than what is read would be put aside, with all that was entered."""
    box = DraftFile(tmp_path)
    assert box.save(Draft(address=ANA, typed={"host": "x" * LARGEST, "port": "y" * LARGEST}), STEPS[1])
    kept = box.load()
    assert kept is not None
    assert kept.draft.address == ANA
    assert set(kept.draft.typed["host"]) == {"x"}


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    assert box.save(Draft(address=ANA), STEPS[1])
    assert not box.save(Draft(address=ANA, origin_note="x" * LARGEST), STEPS[1])
    assert box.load() is not None, "what was written before is there"
