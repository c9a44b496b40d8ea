"""Letters and lines as somebody would write them who means ill, for property tests of whatever reads them."""

from __future__ import annotations

import encodings
import json
import pkgutil
from collections.abc import Sequence

from hypothesis import strategies as st

CHARSETS: tuple[str, ...] = (
    *sorted(module.name for module in pkgutil.iter_modules(encodings.__path__)),
    "rot13",
    "zip",
    "base64",
    "raw-unicode-escape",
    "",
    "no-such-charset",
    "utf-8\0",
    "\ud800",
    "'utf-8'",
    '"',
    "..",
    "x" * 5000,
)
"""Every encoding that Python has, whether it is one for text or not, and names that are none."""
SAID = "550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown"
"""What is found wherever it can be."""


def nested(depth: int, inner: str) -> str:
    """Return a letter of so many levels, with `inner` in the midst of them."""
    head = "From: a@example.com\nTo: b@example.com\nSubject: Undelivered Mail Returned to Sender\n"
    opening = (f'Content-Type: multipart/mixed; boundary="b{at}"\n\n--b{at}\n' for at in range(depth))
    closing = (f"\n--b{at}--" for at in reversed(range(depth)))
    return f"{head}{''.join(opening)}Content-Type: text/plain\n\n{inner}{''.join(closing)}\n"


_WORDS = st.sampled_from(
    [
        SAID,
        "Final-Recipient: rfc822; bob@example.org",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 no",
        "",
        "\0",
        "\ud800",
        "\x85\u2028",
        "=?idna?b?AAAA?=",
        "=?utf-8?q?=ZZ?=",
        "=?\0?q??=",
        "&#" + "9" * 5000 + ";",
        "\\" * 50,
        "\\ud800",
        "<br" * 20,
        "a" * 1500,
        " " * 1500,
        "zertifikat" * 30,
        "--",
        "--b",
        "--b--",
        "--c",
        "$" * 9,
        "Undelivered Mail Returned to Sender",
        "VGhlIG1haWxib3ggaXMgZnVsbC4=",
        "=C3=BC=\n=",
        "Received: from 535",
    ]
)
_TEXTS = _WORDS | st.text(max_size=40)
_KINDS = st.sampled_from(
    [
        "text/plain",
        "text/html",
        "TEXT/PLAIN",
        "multipart/mixed",
        "multipart/report",
        "multipart/digest",
        "message/rfc822",
        "message/delivery-status",
        "application/octet-stream",
        "",
        "/",
        "text",
        "multipart/",
        ";",
        "multipart/mixed/x",
    ]
)
_PARAMETERS = st.sampled_from(
    [
        "boundary=b",
        'boundary="b"',
        "boundary=c",
        "boundary*0=b; boundary*1=c",
        "boundary*=us-ascii'en'b",
        "boundary*99999=b",
        "boundary*x*y=b",
        "boundary=",
        'boundary="',
        'boundary="b\\',
        "boundary*0*=''%zz; boundary*0=b",
        "=",
        ";" * 300,
        "charset*0*=idna''x",
        "charset*=''",
        "charset*=\ud800''\ud800",
        'a="' * 200,
    ]
)
_ENCODINGS = st.sampled_from(["base64", "quoted-printable", "7bit", "8bit", "x-uuencode", "BASE64 ", "", "\0", "rot13"])


@st.composite
def _headers(draw: st.DrawFn) -> str:
    charset = draw(st.sampled_from(CHARSETS))
    kind = "; ".join([draw(_KINDS), f"charset={charset}", *draw(st.lists(_PARAMETERS, max_size=3))])
    fields = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {draw(_ENCODINGS)}"]
    fields += draw(
        st.lists(st.builds("{}: {}".format, st.sampled_from(["Subject", "X", "X" * 400, "Ü"]), _TEXTS), max_size=3)
    )
    fields += draw(st.lists(st.sampled_from([" folded", "\t", ": x", "no field", "From x"]), max_size=2))
    return "\n".join(draw(st.permutations(fields)))


@st.composite
def letters(draw: st.DrawFn) -> str:
    """Letters whose every part may be broken in some way of its own."""
    text = draw(
        st.sampled_from(
            ["From: a@b\nTo: c@d\nDate: x\nSubject: ", "From: MAILER-DAEMON\nTo: a\nReceived: ", "", "\n\n"]
        )
    )
    text += draw(_TEXTS) + "\n" + draw(_headers()) + "\n\n"
    for _ in range(draw(st.integers(0, 4))):
        text += draw(st.sampled_from(["--b", "--b--", "--c", "--c--", "", "-- b"])) + "\n"
        text += (
            draw(_headers())
            + draw(st.sampled_from(["\n\n", "\n", ""]))
            + "\n".join(draw(st.lists(_TEXTS, max_size=4)))
            + "\n"
        )
    return draw(st.sampled_from([text, text.replace("\n", "\r\n"), text.replace("\n", "\r"), text * 2]))


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | _TEXTS
    | st.sampled_from(["auth", "after", "587", "ssl", "gmail"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
_KEYS = ("text", "stage", "settings", "provider", "client", "host", "port", "security", "auth")
_OBJECTS = st.fixed_dictionaries({}, optional=dict.fromkeys(_KEYS, _VALUES))
_ASKED = st.fixed_dictionaries(
    {"text": letters() | _TEXTS},
    optional={
        "settings": _OBJECTS,
        "stage": st.sampled_from(["auth", "after", None, "lunch", 5]),
        "provider": _TEXTS,
        "client": _TEXTS,
    },
)


def _written(value: object) -> bytes:
    return json.dumps(value).encode()


LINES: st.SearchStrategy[bytes] = (
    st.binary(max_size=60).map(lambda data: data.replace(b"\n", b""))
    | st.builds(_written, _OBJECTS | _ASKED | _VALUES)
    | st.sampled_from(
        [b"[" * 100_000, b'{"text": ' + b"9" * 5000 + b"}", b'{"text": NaN}', b'{"text": "\\ud800"}', b"\xff\xfe"]
    )
    | st.sampled_from(
        [b'{"text": "x", "settings": {"port": 1e999}}', b'{"text": "x", "text": 5}', b"{" * 2000, b'"\\u']
    )
)
"""Lines for `--jsonl`, none of which has a line end in it."""


def lines_of(values: Sequence[bytes]) -> bytes:
    """Return them as a file has them."""
    return b"".join(value + b"\n" for value in values)
