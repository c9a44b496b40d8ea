"""`unsubscribe`: data on standard output, rules beside it, exit codes, and one document with --json."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run

GOOD = '<body><a href="https://shop.test/unsubscribe">Unsubscribe</a> 12 Main Street, Springfield, IL 62701</body>'


def test_link_html_and_header_are_printed() -> None:
    ran = run("unsubscribe", "list@shop.test", "--subject", "take me off")
    assert ran.code == 0
    assert "mailto:list@shop.test?subject=take%20me%20off" in ran.out
    assert "List-Unsubscribe: <mailto:" in ran.out
    assert "CAN-SPAM" in ran.err


def test_the_document_fits_its_schema() -> None:
    document = run("unsubscribe", "list@shop.test", "--url", "https://shop.test/u", "--json").document
    assert document["one_click"] is True
    assert [each["name"] for each in document["headers"]] == ["List-Unsubscribe", "List-Unsubscribe-Post"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("no address",), ("list@shop.test", "--url", "http://shop.test/"), ("list@shop.test", "--check", "x.html")],
)
def test_what_cannot_be_used_is_said_in_a_sentence(arguments: tuple[str, ...]) -> None:
    ran = run("unsubscribe", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err


def test_a_template_is_looked_through(tmp_path: Path) -> None:
    template = tmp_path / "letter.html"
    template.write_text(GOOD)
    ran = run("unsubscribe", "--check", str(template))
    assert ran.code == 0
    assert ran.out.startswith("ok")
    template.write_text("<body>Buy now!</body>")
    ran = run("unsubscribe", "--check", str(template), "--json")
    assert ran.code == 1
    assert ran.document["good"] is False
    assert {each["id"]: each["good"] for each in ran.document["seen"]} == {"link": False, "postal": False}


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    ran = run("unsubscribe", "--check", str(tmp_path / "none.html"), "--json")
    assert ran.code == 2
    assert "could not be read" in ran.document["error"]["message"]
