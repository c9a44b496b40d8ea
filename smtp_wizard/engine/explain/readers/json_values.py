"""What JSON says, without its keys: logs of applications, answers of services, JSON inside JSON, and cut-off JSON.

Read by its signs and not as a document: what people paste is mostly a piece of one, often escaped twice. Keys that
tell what a value is (a code, a host) stay before it; values that are about the request and not about the failure go.
"""

from __future__ import annotations

import re

_VALUE = r"""(?:"(?:[^"\\\n]|\\.){0,2000}+"?|-?[\d.]{1,30}(?![\d.\w])|true|false|null)"""
_PAIR = re.compile(rf'(?<![\w"])"([\w@.$ -]{{1,40}})"[ \t]{{0,4}}:[ \t\n]{{0,40}}({_VALUE})?')
_TELLING = frozenset(
    {
        "address",
        "code",
        "command",
        "enhancedcode",
        "errno",
        "host",
        "hostname",
        "port",
        "recipient",
        "response",
        "responsecode",
        "secure",
        "server",
        "smtpcode",
        "status",
        "statuscode",
        "syscall",
        "to",
    }
)
"""Keys that say what their value is."""
_BESIDE = frozenset(
    {
        "@timestamp",
        "@version",
        "agent",
        "app",
        "appname",
        "args",
        "class",
        "column",
        "content-type",
        "contenttype",
        "correlationid",
        "date",
        "duration",
        "environment",
        "file",
        "filename",
        "function",
        "hash",
        "headers",
        "id",
        "ip",
        "level",
        "line",
        "lineno",
        "logger",
        "loglevel",
        "messageid",
        "method",
        "module",
        "name",
        "path",
        "pid",
        "referer",
        "referrer",
        "remoteaddr",
        "reqid",
        "requestid",
        "service",
        "span",
        "subject",
        "thread",
        "threadname",
        "time",
        "timestamp",
        "trace_id",
        "traceid",
        "ts",
        "type",
        "uri",
        "url",
        "user",
        "user_agent",
        "useragent",
        "userid",
        "version",
    }
)
"""Keys whose value is about the request, the program or the moment."""
_OF_HTTP = frozenset({"400", "401", "402", "403", "404", "405", "406", "408", "409", "415", "422", "429"})
"""Codes of a web request (RFC 9110 section 15.5) that RFC 5321 does not have; 421 and 450 to 455 are in both worlds."""
_SOME = 2
"""One pair in quotes may be anybody's sentence; two are JSON."""


def looks_like_json(text: str) -> bool:
    """Whether keys of JSON stand in a text (RFC 8259 section 4)."""
    return (
        '":' in text.replace('" :', '":')
        and sum(1 for _ in zip(_PAIR.finditer(text), range(_SOME), strict=False)) >= _SOME
    )


def without_keys(text: str) -> str:
    """Return the values of JSON that can be about a failure, each on a line; a text that holds none is unchanged.

    The text's escapes have been resolved before, so that JSON inside JSON looks as the outer one does.
    """
    return _PAIR.sub(_told, text) if looks_like_json(text) else text


def _told(found: re.Match[str]) -> str:
    key, value = found[1].lower(), found[2] or ""
    if key in _BESIDE and value:
        return "\n"
    if key in _TELLING:
        return "\n" if key == "code" and value in _OF_HTTP else f"\n{found[0]}"
    return f"\n{value}"
