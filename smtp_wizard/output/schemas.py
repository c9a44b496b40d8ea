"""The JSON Schemas (draft 2020-12) of what the commands print with --json. Tests hold every command to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.connection import Auth, Family
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.limits.catalogue_limits import Access, Way
from smtp_wizard.engine.limits.mailing_plan import Trouble
from smtp_wizard.engine.oauth.server import ClientSecret
from smtp_wizard.engine.providers.limits import Counted, Per
from smtp_wizard.engine.providers.provider import (
    Alphabet,
    PathAuth,
    PathStatus,
    ProviderKind,
    ProviderStatus,
    Seen,
    SourceKind,
    UsernameForm,
)
from smtp_wizard.engine.scan.control_host import Blame
from smtp_wizard.engine.scan.network_findings import SightKind
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.engine.services.doctor import State

Schema = dict[str, Any]


def schema_of(name: str) -> Schema:
    """Return the schema of a command's document (`NAMES`). Raises `KeyError`."""
    if name in _EITHER:
        documents, description = _EITHER[name]
        shape: Schema = {"description": description, "oneOf": [_document(each) for each in documents]}
    else:
        shape = _document(name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"smtp-wizard {name.replace('-', ' ')}",
        **shape,
    }


def _document(name: str) -> Schema:
    return _object({"schema": {"const": f"smtp-wizard/{name}/1"}, **_DOCUMENTS[name]()})


# --- the pieces ---


def _object(properties: Mapping[str, Schema]) -> Schema:
    """An object that has all of these, and nothing else."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _one_of(kind: type[StrEnum] | Iterable[str]) -> Schema:
    return {"enum": [str(each) for each in kind]}


_TEXT: Schema = {"type": "string"}
_WORDS = _list(_TEXT)
_NOTHING_OR_TEXT = _maybe(_TEXT)
_FLAG: Schema = {"type": "boolean"}
_PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_MS: Schema = {"type": "number", "minimum": 0}
_MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}
_DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_SERVER: Mapping[str, Schema] = {"host": _TEXT, "port": _PORT, "security": _one_of(Security)}


# --- checks ---


def _finding() -> Schema:
    return _object(
        {
            "code": _TEXT,
            "title": _TEXT,
            "explanation": _TEXT,
            "who": _one_of(Who),
            "steps": _WORDS,
            "guide": _NOTHING_OR_TEXT,
            "forward": _NOTHING_OR_TEXT,
            "server_said": _TEXT,
        }
    )


def _result() -> Mapping[str, Schema]:
    stage = {
        "stage": _one_of(Stage),
        "verdict": _one_of(Verdict),
        "ms": _MS,
        "detail": _TEXT,
        "finding": _NOTHING_OR_TEXT,
    }
    tls = {
        "version": _TEXT,
        "cipher": _TEXT,
        "subject": _TEXT,
        "issuer": _TEXT,
        "not_after": _maybe(_MOMENT),
        "names": _WORDS,
    }
    return {
        "account": _NOTHING_OR_TEXT,
        **_SERVER,
        "family": _maybe(_one_of(Family)),
        "verdict": _one_of(Verdict),
        "stages": _list(_object(stage)),
        "findings": _list(_finding()),
        "mechanism": _NOTHING_OR_TEXT,
        "capabilities": {"type": "object", "additionalProperties": _TEXT},
        "tls": _maybe(_object(tls)),
        "ms": _MS,
    }


def _results() -> Mapping[str, Schema]:
    return {"results": _list(_object(_result()))}


def _test() -> Mapping[str, Schema]:
    notice = {
        "account": _TEXT,
        "date": _TEXT,
        "what": _TEXT,
        "state": _TEXT,
        "replacement": _TEXT,
        "source": _TEXT,
        "past": _FLAG,
    }
    endings = _list(_object({"account": _TEXT, "words": _TEXT}))
    return {**_results(), "notices": _list(_object(notice)), "endings": endings}


def _check() -> Mapping[str, Schema]:
    sight = {
        "kind": _one_of(SightKind),
        "ports": _list(_PORT),
        "name": _TEXT,
        "who": _one_of(Who),
        "sentence": _TEXT,
    }
    answer = {
        "host": _TEXT,
        "port": _PORT,
        "answer": _one_of(Blame),
        "sure": _FLAG,
        "who": _one_of(Who),
        "sentence": _TEXT,
        "steps": _WORDS,
    }
    port = {
        "port": _PORT,
        "security": _one_of(Security),
        "serves": _FLAG,
        "families": _list(_one_of(Family)),
        "sentence": _TEXT,
    }
    network = {
        "ports": _list(_object(port)),
        "sights": _list(_object(sight)),
        "neutral": _list(_object(answer)),
        "proposal": _maybe(_object({"host": _TEXT, "ports": _list(_PORT)})),
    }
    best = {**_SERVER, "families": _list(_one_of(Family)), "why": _TEXT}
    return {**_results(), "best": _maybe(_object(best)), "network": _object(network)}


def _send() -> Mapping[str, Schema]:
    sent = {"to": _TEXT, "test_code": _TEXT, "accepted": _one_of(("yes", "no", "unknown"))}
    return {**sent, "practice_message": _NOTHING_OR_TEXT, **_results()}


# --- accounts ---


def _store() -> Schema:
    return _maybe(_object({"kind": _one_of(StoreKind), "where": _TEXT}))


def _shown_account() -> Mapping[str, Schema]:
    return {**_account(), "refused_lately": _WHOLE}


def _account() -> Mapping[str, Schema]:
    last = {
        "at": _MOMENT,
        "depth": _one_of(Depth),
        "verdict": _one_of(Verdict),
        "stage": _maybe(_one_of(Stage)),
        "finding": _NOTHING_OR_TEXT,
    }
    login = {"client_id": _TEXT, "granted": _MOMENT, "renewed": _MOMENT, "ends": _maybe(_MOMENT)}
    return {
        "name": _TEXT,
        "address": _TEXT,
        **_SERVER,
        "username": _TEXT,
        "auth": _one_of(Auth),
        "provider": _NOTHING_OR_TEXT,
        "path": _NOTHING_OR_TEXT,
        "from": _TEXT,
        "sender_name": _TEXT,
        "scope": _one_of(Scope),
        "company_email": _FLAG,
        "company_name": _TEXT,
        "reply_to": _NOTHING_OR_TEXT,
        "store": _store(),
        "allow_cleartext_login": _FLAG,
        "ehlo_name": _NOTHING_OR_TEXT,
        "ca_file": _NOTHING_OR_TEXT,
        "sandbox": _NOTHING_OR_TEXT,
        "created": _MOMENT,
        "last": _maybe(_object(last)),
        "login": _maybe(_object(login)),
    }


def _accounts() -> Mapping[str, Schema]:
    return {"accounts": _list(_object(_account()))}


def _removed() -> Mapping[str, Schema]:
    return {"removed": _TEXT, "note": _TEXT}


def _edited() -> Mapping[str, Schema]:
    return {"changed": _FLAG, "account": _object(_account()), **_results()}


def _renamed() -> Mapping[str, Schema]:
    return {"renamed": _TEXT, "account": _object(_account())}


def _new_password() -> Mapping[str, Schema]:
    return {"changed": _FLAG, "store": _store(), **_results()}


def _duplicated() -> Mapping[str, Schema]:
    return {"original": _TEXT, "account": _object(_account())}


# --- providers ---


def _brief_provider() -> Mapping[str, Schema]:
    return {
        "id": _TEXT,
        "name": _TEXT,
        "kind": _one_of(ProviderKind),
        "status": _one_of(ProviderStatus),
        "checked": _TEXT,
    }


def _providers() -> Mapping[str, Schema]:
    return {"providers": _list(_object(_brief_provider()))}


def _provider() -> Mapping[str, Schema]:
    fact = {"source": _TEXT, "as_of": _TEXT, "confidence": _one_of(Confidence)}
    shown = {
        "note": _TEXT,
        "plan": _TEXT,
        "domains": _WORDS,
        "mx": _WORDS,
        "of_domain": _TEXT,
        "guess": _FLAG,
        "offered": _FLAG,
    }
    endpoint = {**_SERVER, **shown, **fact}
    username = {"form": _one_of(UsernameForm), "literal": _NOTHING_OR_TEXT, "note": _TEXT}
    words = {"code": _WHOLE, "enhanced": _TEXT, "words": _TEXT, "means": _TEXT, **fact}
    retirement = {"what": _TEXT, "date": _TEXT, "state": _TEXT, "replacement": _TEXT, **fact, "paths": _WORDS}
    ispdb = {
        "domain": _TEXT,
        "changed": _TEXT,
        "endpoints": _list(_object(_SERVER)),
        "username": _one_of(UsernameForm),
        "agrees": _FLAG,
        "note": _TEXT,
    }
    source = {
        "id": _TEXT,
        "title": _TEXT,
        "kind": _one_of(SourceKind),
        "date": _TEXT,
        "seen": _one_of(Seen),
        "url": _TEXT,
        "says": _WORDS,
    }
    return {
        **_brief_provider(),
        "other_names": _WORDS,
        "domains": _WORDS,
        "mx": _WORDS,
        "mx_shared": _WORDS,
        "endpoints": _list(_object(endpoint)),
        "username": _object(username),
        "paths": _list(_path()),
        "limits": _list(_limit()),
        "limits_note": _TEXT,
        "documented": _maybe(_documented()),
        "note": _TEXT,
        "successor": _NOTHING_OR_TEXT,
        "ispdb": _list(_object(ispdb)),
        "overrides": _list(_object({"provider": _TEXT, "field": _TEXT, "old": _TEXT, "new": _TEXT})),
        "errors": _list(_object(words)),
        "lockout": _maybe(_object({"attempts": _WHOLE, "minutes": _WHOLE, "source": _TEXT, "as_of": _TEXT})),
        "retirements": _list(_object(retirement)),
        "sources": _list(_object(source)),
    }


def _verified() -> Mapping[str, Schema]:
    server = {
        **_SERVER,
        "providers": _WORDS,
        "fits": _FLAG,
        "misfits": _WORDS,
        "verdict": _one_of(Verdict),
        "ms": _MS,
    }
    return {"servers": _list(_object(server))}


def _oauth() -> Schema:
    life = _maybe(_object({"days": _WHOLE, "source": _TEXT, "as_of": _TEXT, "confidence": _one_of(Confidence)}))
    texts = ("name", "authorize", "token", "device", "register", "revoke", "redirect", "console", "closed", "note")
    return _object(
        {
            **dict.fromkeys(texts, _TEXT),
            "scopes": _WORDS,
            "extra": {"type": "object", "additionalProperties": _TEXT},
            "client_secret": _one_of(ClientSecret),
            "idle": life,
            "testing": life,
            "source": _TEXT,
            "as_of": _TEXT,
            "confidence": _one_of(Confidence),
        }
    )


def _path() -> Schema:
    form = {"length": _WHOLE, "alphabet": _one_of(Alphabet), "groups": _WHOLE, "strip_blanks": _FLAG}
    return _object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "summary": _TEXT,
            "status": _one_of(PathStatus),
            "auth": _one_of(PathAuth),
            "guide": _NOTHING_OR_TEXT,
            "note": _TEXT,
            "retired_on": _NOTHING_OR_TEXT,
            "since": _NOTHING_OR_TEXT,
            "instead": _WORDS,
            "secret_label": _TEXT,
            "secret_form": _maybe(_object(form)),
            "documented": _FLAG,
            "disputed": _TEXT,
            "sources": _WORDS,
            "scenarios": _WORDS,
            "scenario": _NOTHING_OR_TEXT,
            "oauth": _maybe(_oauth()),
        }
    )


def _limit() -> Schema:
    return _object(
        {
            "what": _one_of(Counted),
            "per": _one_of(Per),
            "value": _maybe(_WHOLE),
            "applies_to": _TEXT,
            "documented": _FLAG,
            "historical": _FLAG,
            "source": _TEXT,
            "as_of": _TEXT,
            "confidence": _one_of(Confidence),
            "words": _TEXT,
        }
    )


def _documented() -> Schema:
    return _object(
        {
            "names": _WORDS,
            "smtp_lines": _WORDS,
            "host": _TEXT,
            "ports": _list(_PORT),
            "false_today": _WORDS,
            "still_true": _WORDS,
            "limits_label": _TEXT,
            "limit_lines": _WORDS,
            "limits": _list(_limit()),
            "limits_today": _TEXT,
        }
    )


# --- sending limits ---


def _limit_row() -> Schema:
    return _object(
        {
            "provider": _TEXT,
            "name": _TEXT,
            "scope": _TEXT,
            "limit": _maybe(_WHOLE),
            "unit": _one_of(Counted),
            "per": _one_of(Per),
            "documented": _FLAG,
            "historical": _FLAG,
            "source": _TEXT,
            "source_title": _TEXT,
            "source_url": _TEXT,
            "as_of": _TEXT,
            "confidence": _one_of(Confidence),
            "checked": _TEXT,
        }
    )


def _limits() -> Mapping[str, Schema]:
    return {"limits": _list(_limit_row())}


def _limits_plan() -> Mapping[str, Schema]:
    numbers, pace, binding = _list(_WHOLE), _maybe(_MS), _maybe(_limit_row())
    account = {
        "provider": _TEXT,
        "per_day": numbers,
        "interval_seconds": pace,
        "binding": binding,
        "trouble": _maybe(_one_of(Trouble)),
        "access": _one_of(Access),
    }
    return {
        "messages": _WHOLE,
        "days": _maybe(_WHOLE),
        "per_day": numbers,
        "interval_seconds": pace,
        "starts_at": _DATE,
        "ends_at": _maybe(_DATE),
        "binding": binding,
        "fits": _FLAG,
        "advice": _list(_object({"way": _one_of(Way), "words": _TEXT, "providers": _WORDS})),
        "accounts": _list(_object(account)),
        "notes": _WORDS,
        "when_reached": _WORDS,
    }


# --- guides, the practice server, the rest ---


def _guides() -> Mapping[str, Schema]:
    step = {"number": _WHOLE, "text": _TEXT, "urls": _WORDS, "proves": _maybe(_one_of(Stage)), "then": _NOTHING_OR_TEXT}
    guide = {
        "id": _TEXT,
        "title": _TEXT,
        "paths": _WORDS,
        "checked": _TEXT,
        "minutes": _maybe(_WHOLE),
        "retired": _NOTHING_OR_TEXT,
        "leads_to": _NOTHING_OR_TEXT,
        "intro": _WORDS,
        "steps": _list(_object(step)),
        "outro": _WORDS,
        "sources": _list(_object({"title": _TEXT, "url": _NOTHING_OR_TEXT})),
    }
    return {"guides": _list(_object(guide))}


def _explain() -> Mapping[str, Schema]:
    return {
        "cause": _TEXT,
        "title": _TEXT,
        "explanation": _TEXT,
        "who": _one_of(Who),
        "steps": _WORDS,
        "guide": _NOTHING_OR_TEXT,
        "forward": _NOTHING_OR_TEXT,
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "matched": _WORDS,
    }


def _sandbox() -> Mapping[str, Schema]:
    return {
        "scenario": _TEXT,
        "what": _TEXT,
        "endpoints": _list(_object(_SERVER)),
        "username": _TEXT,
        "password": _TEXT,
        "ca_file": _TEXT,
    }


def _message() -> Mapping[str, Schema]:
    return {
        "key": _TEXT,
        "when": _MOMENT,
        "sender": _TEXT,
        "recipients": _WORDS,
        "subject": _TEXT,
        "size": _WHOLE,
    }


def _mailbox() -> Mapping[str, Schema]:
    return {"messages": _list(_object(_message())), "deleted": _WHOLE}


def _mailbox_message() -> Mapping[str, Schema]:
    return {**_message(), "headers": _list(_object({"name": _TEXT, "value": _TEXT})), "text": _TEXT}


def _doctor() -> Mapping[str, Schema]:
    check = {"area": _TEXT, "code": _TEXT, "state": _one_of(State), "sentence": _TEXT}
    versions: Schema = {"type": "object", "additionalProperties": _TEXT}
    entry = {
        "store": _one_of(StoreKind),
        "entry": _TEXT,
        "account": _TEXT,
        "since": _MOMENT,
        "there": _one_of(("yes", "unknown")),
    }
    return {
        "checks": _list(_object(check)),
        "left": _list(_object(entry)),
        "removed": _list(_object(entry)),
        "versions": versions,
    }


def _discover() -> Mapping[str, Schema]:
    sources = [each.value for each in FoundBy if each is not FoundBy.NONE]
    candidate: Mapping[str, Schema] = {
        "host": _TEXT,
        "port": _PORT,
        "security": _one_of(Security),
        "username": _TEXT,
        "auth": _list(_one_of(("password", "xoauth2", "none"))),
        "source": _one_of(sources),
        "also": _list(_one_of(sources)),
        "trust": {"type": "number", "minimum": 0, "maximum": 1},
        "verified": _FLAG,
        "as_of": _NOTHING_OR_TEXT,
        "note": _NOTHING_OR_TEXT,
    }
    return {
        "email": _TEXT,
        "provider": _NOTHING_OR_TEXT,
        "alternatives": _WORDS,
        "candidates": _list(_object(candidate)),
        "paths": _list(_path()),
        "mx": _WORDS,
        "notes": _WORDS,
    }


def _unsubscribe() -> Mapping[str, Schema]:
    return {
        "mailto": _TEXT,
        "url": _NOTHING_OR_TEXT,
        "html": _TEXT,
        "text": _TEXT,
        "headers": _list(_object({"name": _TEXT, "value": _TEXT})),
        "one_click": _FLAG,
        "rules": _list(_object({"name": _TEXT, "words": _TEXT})),
    }


def _unsubscribe_check() -> Mapping[str, Schema]:
    return {
        "kind": _one_of(("html", "text", "message")),
        "good": _FLAG,
        "seen": _list(_object({"id": _TEXT, "good": _FLAG, "words": _TEXT})),
        "links": _WORDS,
    }


def _schemas() -> Mapping[str, Schema]:
    return {"schemas": _WORDS}


def _error() -> Mapping[str, Schema]:
    return {"error": _object({"code": _TEXT, "message": _TEXT, "hint": _TEXT})}


_DOCUMENTS: Mapping[str, Callable[[], Mapping[str, Schema]]] = MappingProxyType(
    {
        "setup": _results,
        "check": _check,
        "test": _test,
        "test-line": _result,
        "send": _send,
        "accounts": _accounts,
        "accounts-show": _shown_account,
        "accounts-edit": _edited,
        "accounts-rename": _renamed,
        "accounts-password": _new_password,
        "accounts-duplicate": _duplicated,
        "accounts-remove": _removed,
        "vault": lambda: {"file": _TEXT, "exists": _FLAG, "accounts": _WORDS},
        "vault-passphrase": lambda: {"changed": _FLAG},
        "providers": _providers,
        "providers-show": _provider,
        "providers-verify": _verified,
        "limits": _limits,
        "limits-plan": _limits_plan,
        "guide": _guides,
        "explain": _explain,
        "sandbox": _sandbox,
        "sandbox-mailbox": _mailbox,
        "sandbox-mailbox-show": _mailbox_message,
        "doctor": _doctor,
        "discover": _discover,
        "unsubscribe": _unsubscribe,
        "unsubscribe-check": _unsubscribe_check,
        "schema": _schemas,
        "error": _error,
    }
)

_EITHER: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "explain-line": (
            ("explain", "error"),
            "One line of explain --jsonl: the answer to the line of the input that stands in the same place, or an "
            "error where that line could not be used (code 'input') or met a fault of this program (code 'bug'). The "
            "other lines are answered all the same. The exit code is 0 without errors, 2 with any 'input', 70 with "
            "any 'bug'.",
        )
    }
)
"""What may be one of several documents, and what is said of it."""

NAMES: tuple[str, ...] = (*_DOCUMENTS, *_EITHER)
"""Every document: a command, with a dash before a command below it; `test-line` is a line of --format jsonl."""
