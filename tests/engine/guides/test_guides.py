"""The guides: each one is read, each keeps the rules a reader relies on, and a broken file is named with its line."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.data_files import DataError, data_path
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.guides.guides import (
    SLOTS,
    Guide,
    Guides,
    GuideStep,
    UnknownGuide,
    as_text,
    fill,
    load_guides,
    parse_guide,
)
from smtp_wizard.engine.guides.named_guides import named_in, with_titles
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.sandbox.scenarios import load_scenarios
from tests.support.rows import each_row

GUIDES = load_guides()
ALL = each_row("guide", GUIDES.values(), ids=lambda guide: guide.id)

EXPECTED = {
    "amazon-ses",
    "aol-app-password",
    "app-password",
    "att-secure-mail-key",
    "basic",
    "bluehost",
    "bounces",
    "brevo",
    "comcast",
    "cox",
    "custom",
    "fastmail-app-password",
    "found-server",
    "gmail-app-password",
    "gmail-less-secure-apps",
    "gmail-no-phone",
    "gmail-two-step",
    "gmx-webde",
    "godaddy",
    "google-workspace",
    "google-workspace-relay",
    "icloud-app-password",
    "ionos",
    "key",
    "limits",
    "mail-ru",
    "mailgun",
    "mailjet",
    "microsoft365",
    "microsoft365-admin",
    "naver",
    "netease",
    "outlook-com",
    "own-mailbox",
    "own-web-host",
    "postmark",
    "proton",
    "qq",
    "rackspace",
    "resend",
    "sandbox",
    "scope",
    "sendgrid",
    "servicemonster-fields",
    "seznam",
    "smtp2go",
    "spectrum",
    "switch-on",
    "telstra",
    "unsubscribe",
    "yahoo-app-password",
    "yandex",
    "zoho",
}

TO_READ = {"bounces", "limits", "mailbox-imap", "own-mailbox", "scope", "servicemonster-fields", "unsubscribe"}
"""Guides that explain something and do not end with a sign-in."""

SAMPLE = """\
---
id: sample
paths:
  - shop/password
checked: 2026-11-23
minutes: 3
sources:
  - title: A page (2026)
    url: https://help.example.com/page
  - title: A letter
---

# Send with {provider}

The first paragraph goes
over two lines.

The second one says `code`.

1. Open this page: <https://example.com/a?b=c#d>
   - then: Called "Elsewhere" in the article.
2. Type the password
   of {address} here.
   - proves: auth
3. Done.

The last paragraph.
"""


def plain(step: GuideStep) -> str:
    """Return a step's words without its web addresses."""
    return re.sub(r"https://\S+", "", step.text).strip()


def all_texts(guide: Guide) -> list[str]:
    """Return everything of a guide that is shown."""
    steps = [text for step in guide.steps for text in (step.text, step.then)]
    return [guide.title, *guide.intro, *steps, *guide.outro]


def named_guides(text: str) -> list[str]:
    """Return the guides that a text sends its reader to: 'the guide a', 'the guides a, b and c'."""
    lists = re.findall(r"\b[Tt]he guides ([a-z0-9-]+(?:(?:, | and )[a-z0-9-]+)*)", text)
    return [
        *re.findall(r"\b[Tt]he guide ([a-z0-9-]+)", text),
        *(name for each in lists for name in re.split(", | and ", each)),
    ]


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese signs are two wide."""
    return sum(2 if unicodedata.east_asian_width(ch) in {"W", "F"} else 1 for ch in text)


def edited(old: str, new: str) -> str:
    """Return the sample with one place changed; the place must be there."""
    assert old in SAMPLE
    return SAMPLE.replace(old, new, 1)


# --- what the guides promise their readers ---


def test_every_guide_is_there() -> None:
    assert GUIDES.keys() >= EXPECTED


@ALL
def test_a_guide_fits_beside_a_small_terminal(guide: Guide) -> None:
    fewest = 3 if guide.retired else 4
    assert fewest <= len(guide.steps) <= 8
    assert [step.number for step in guide.steps] == list(range(1, len(guide.steps) + 1))
    for step in guide.steps:
        assert len(plain(step)) <= 2 * 74, step
        assert len(step.then) <= 2 * 74, step


@ALL
def test_a_step_is_one_action(guide: Guide) -> None:
    for step in guide.steps:
        words = plain(step)
        assert len(re.findall(r"[.?!]\"?(?:\s|$)", words)) <= 2, words
        assert not re.search(r"\b(?:and|,|;) then\b", words, re.IGNORECASE), words
        assert len(step.urls) <= 1, words


@ALL
def test_web_addresses_stand_in_full_and_are_encrypted(guide: Guide) -> None:
    for text in (each.replace("http://localhost", "") for each in all_texts(guide)):  # this computer: a redirect URI
        assert "http://" not in text
        assert "www." not in re.sub(r"https://\S+", "", text)
        for url in re.findall(r"\S*://\S+", text):
            assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]{2,}(/[!-~]*)?", url), url
            assert not url.endswith((".", ",", ")")), url
    for step in guide.steps:
        assert list(step.urls) == re.findall(r"https://\S+", step.text)


@ALL
def test_a_guide_says_where_it_comes_from_and_when_it_was_checked(guide: Guide) -> None:
    assert date.fromisoformat(guide.checked) >= date(2026, 11, 1)
    assert guide.sources
    assert guide.intro
    assert not guide.title.endswith(".")
    for path in guide.paths:
        assert re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", path)


@ALL
def test_a_retired_way_leads_on_to_one_that_works(guide: Guide) -> None:
    if guide.retired:
        assert guide.leads_to is not None
        assert not GUIDES[guide.leads_to].retired
        assert all(step.proves is None for step in guide.steps)


def test_two_ways_are_retired() -> None:
    retired = {guide.id: (guide.retired, guide.leads_to) for guide in GUIDES.values() if guide.retired}
    assert retired == {
        "gmail-less-secure-apps": ("2022-05-30", "gmail-no-phone"),
        "outlook-com": ("2024-09-16", "basic"),
    }


@ALL
def test_a_guide_that_is_named_in_the_words_exists(guide: Guide) -> None:
    for text in all_texts(guide):
        for name in named_guides(text):
            assert name in GUIDES, name


@ALL
def test_a_guide_to_a_way_in_has_the_one_step_that_the_sign_in_proves(guide: Guide) -> None:
    proofs = [step.proves for step in guide.steps if step.proves is not None]
    to_read = guide.id in TO_READ or bool(guide.retired)
    assert proofs.count(Stage.AUTH) == (0 if to_read else 1)
    assert not (guide.id in TO_READ and guide.paths)
    order = list(Stage)
    assert proofs == sorted(proofs, key=order.index)


def test_no_two_guides_claim_the_same_path() -> None:
    claimed = [path for guide in GUIDES.values() for path in guide.paths]
    assert len(claimed) == len(set(claimed))


def test_the_practice_password_is_in_the_sandbox_guide() -> None:
    guide = GUIDES["sandbox"]
    assert any("abcd efgh ijkl mnop" in step.text and step.proves is Stage.AUTH for step in guide.steps)
    assert any("@sandbox.test" in step.text for step in guide.steps)
    told = " ".join(guide.outro)
    for scenario in load_scenarios():
        assert f"The scenario {scenario}: " in told


def test_the_article_is_quoted_where_it_contradicts_itself() -> None:
    told = " ".join(GUIDES["scope"].intro)
    assert "be sure “For All Emails” is selected" in told
    assert "We recommend selecting for General Emails Only" in told


def test_the_five_steps_for_a_marketing_template_are_the_article_s() -> None:
    words = ("Marketing Templates", "New Document", "select them", "Add Hyperlink", "mailto:yourlist@yourdomain.tld")
    steps = GUIDES["unsubscribe"].steps
    assert all(word in step.text for word, step in zip(words, steps[:5], strict=True))
    told = " ".join(GUIDES["unsubscribe"].outro)
    assert "we will provide an unsubscribe link on every email" in told, "what the default platform does by itself"
    assert "List-Unsubscribe-Post" in told
    assert "10 business days" in told
    assert "Invoices" in told
    assert "not lawyers" in told


def test_the_four_ways_for_a_large_list_come_in_the_article_s_order() -> None:
    words = ("Contact the host", "Find a web hosting company", "MS Exchange Server", "MailChimpVirticalResponse")
    steps = [step for step in GUIDES["limits"].steps if step.then]
    assert all(word in step.then for word, step in zip(words, steps, strict=True))
    assert "Mailchimp, VerticalResponse or Constant Contact" in steps[-1].text


def test_the_administrator_gets_a_message_that_is_one_paragraph() -> None:
    guide = fill(GUIDES["microsoft365-admin"], address="ana@example.com")
    [message] = [text for text in guide.outro if text.startswith('"Hello, ')]
    for word in ("Authenticated SMTP", "Set-CASMailbox", "December 2026", "OAuth"):
        assert word in message
    assert message.endswith('The mailbox: ana@example.com"')
    assert "microsoft365-admin" in named_guides(GUIDES["microsoft365"].steps[0].text), "the owner is led there"
    assert guide.leads_to == "microsoft365"


# --- slots ---


@ALL
def test_no_brace_is_left_when_nothing_is_known(guide: Guide) -> None:
    for text in all_texts(fill(guide)):
        assert "{" not in text
        assert "}" not in text


def test_slots_take_what_is_known() -> None:
    guide = parse_guide(edited("The last paragraph.", "{host} {port} {security} {username} {address}"), "sample.md")
    filled = fill(
        guide,
        provider="Shop",
        host="smtp.example.com",
        port=465,
        security=Security.TLS,
        username="ana",
        address="ana@example.com",
    )
    assert filled.title == "Send with Shop"
    assert filled.steps[1].text == "Type the password of ana@example.com here."
    assert filled.outro == ("smtp.example.com 465 SSL/TLS ana ana@example.com",)


def test_unknown_slots_become_plain_words() -> None:
    filled = fill(parse_guide(SAMPLE, "sample.md"))
    assert filled.title == "Send with your provider"
    assert filled.steps[1].text == "Type the password of your e-mail address here."


def test_a_value_from_outside_is_cleaned_and_never_taken_for_a_slot() -> None:
    guide = parse_guide(SAMPLE, "sample.md")
    assert fill(guide, provider="a\x1b[2J\nb").title == "Send with a\\x1b[2J b"
    assert fill(guide, provider="{host}", host="smtp.example.com").title == "Send with {host}"
    assert len(fill(guide, provider="x" * 100_000).title) < 1_000


# --- as text ---


@ALL
def test_a_guide_fits_into_78_columns_but_for_its_web_addresses(guide: Guide) -> None:
    text = as_text(guide)
    assert text.endswith("\n")
    for line in text.splitlines():
        assert cells(line) <= 78 or re.fullmatch(r"\s*https://\S+", line), line
    for step in guide.steps:
        assert re.search(rf"^ *{step.number}\. ", text, re.MULTILINE)
        for url in step.urls:
            assert re.search(rf"^ +{re.escape(url)}$", text, re.MULTILINE)


def test_a_terminal_shows_steps_remarks_and_sources() -> None:
    guide = parse_guide(SAMPLE, "sample.md")
    assert (
        as_text(guide, 40)
        == """\
Send with your provider

About 3 minutes. Checked 23 November
2026.

The first paragraph goes over two lines.

The second one says code.

1. Open this page:
   https://example.com/a?b=c#d
   (Called "Elsewhere" in the article.)
2. Type the password of your e-mail
   address here.
3. Done.

The last paragraph.

Sources:
- A page (2026)
  https://help.example.com/page
- A letter
"""
    )


def test_a_retired_guide_says_so_first_and_names_the_next() -> None:
    text = as_text(GUIDES["gmail-less-secure-apps"])
    assert text.splitlines()[2].startswith("This way is gone since 30 May 2022.")
    assert "Go on with the guide: gmail-no-phone" in text


WORDS = st.lists(st.text("abc-{}é", min_size=1, max_size=12), min_size=1, max_size=30).map(" ".join)


@given(words=WORDS, width=st.integers(20, 120))
def test_wrapping_loses_no_word_at_any_width(words: str, width: int) -> None:
    step = GuideStep(1, f"{words} https://example.com/{'x' * width} {words}")
    guide = Guide("g", "T", (), "2026-11-23", (("S", ""),), (words,), (step,), ())
    text = as_text(guide, width)
    known = fill(guide)
    shown = " ".join(text.split())
    assert " ".join(known.intro[0].split()) in shown
    assert " ".join(known.steps[0].text.split()) in shown
    assert all(len(line) <= width or "https://" in line for line in text.splitlines())


# --- reading ---


def test_the_form_is_read() -> None:
    guide = parse_guide(SAMPLE, "sample.md")
    assert guide == Guide(
        id="sample",
        title="Send with {provider}",
        paths=("shop/password",),
        checked="2026-11-23",
        sources=(("A page (2026)", "https://help.example.com/page"), ("A letter", "")),
        intro=("The first paragraph goes over two lines.", "The second one says code."),
        steps=(
            GuideStep(
                1,
                "Open this page: https://example.com/a?b=c#d",
                ("https://example.com/a?b=c#d",),
                None,
                'Called "Elsewhere" in the article.',
            ),
            GuideStep(2, "Type the password of {address} here.", (), Stage.AUTH, ""),
            GuideStep(3, "Done."),
        ),
        outro=("The last paragraph.",),
        minutes=3,
    )


BROKEN = {
    "no front matter": ("---\nid: sample", "id: sample", 1, "begins with"),
    "front matter not closed": ("---\n\n# Send", "\n# Send", 1, "not closed"),
    "front matter is a list": (SAMPLE[: SAMPLE.index("# Send")], "---\n- a\n---\n", 1, "no keys"),
    "unknown key": ("minutes: 3", "minute: 3", 6, "'minute' is not known"),
    "key twice": ("minutes: 3", "minutes: 3\nminutes: 4", 7, "stands twice"),
    "other id": ("id: sample", "id: simple", 2, "the file is called sample.md"),
    "id missing": ("id: sample\n", "", 1, "'id' is missing"),
    "id is no text": ("id: sample", "id: 365", 2, "must be text"),
    "checked missing": ("checked: 2026-11-23\n", "", 1, "'checked' is missing"),
    "not a day": ("2026-11-23", "2026-02-30", 5, "must be a date"),
    "short date": ("2026-11-23", "20261123", 5, "must be"),
    "month only": ("2026-11-23", "2026-11", 5, "must be a date"),
    "no minutes": ("minutes: 3", "minutes: 0", 6, "whole number"),
    "minutes in words": ("minutes: 3", "minutes: three", 6, "whole number"),
    "minutes true": ("minutes: 3", "minutes: true", 6, "whole number"),
    "path without provider": ("shop/password", "password", 3, "provider/path"),
    "paths is no list": ("paths:\n  - shop/password", "paths: shop/password", 3, "must be a list"),
    "paths empty": ("paths:\n  - shop/password", "paths: []", 3, "must be a list"),
    "source without title": ("  - title: A letter", "  - url: https://example.com/", 7, "needs a title"),
    "source is text": ("  - title: A letter", "  - A letter", 7, "has a title"),
    "source with more": ("  - title: A letter", "  - title: A letter\n    date: x", 7, "nothing else"),
    "source without https": ("https://help.example.com/page", "http://help.example.com/page", 7, "https://"),
    "retired without lead": ("minutes: 3", "retired: 2024-01-01", 6, "needs 'leads_to'"),
    "no title": ("# Send with {provider}\n", "", 14, "the title comes first"),
    "two titles": ("The second one", "# Again\n\nThe second one", 18, "'heading'"),
    "smaller heading": ("The second one says", "## More\n\nIt says", 18, "'heading'"),
    "second list": ("The last paragraph.", "1. Again.", 27, "numbered"),
    "bullets": ("The last paragraph.", "- A bullet.", 27, "'bullet list'"),
    "code block": ("The last paragraph.", "```\ncode\n```", 27, "'fence'"),
    "a rule": ("The last paragraph.", "***", 27, "'hr'"),
    "a quote": ("The last paragraph.", "> Quote.", 27, "'blockquote'"),
    "html block": ("The last paragraph.", "<p>Text</p>", 27, "'html block'"),
    "html inside": ("The last paragraph.", "The <b>last</b>.", 27, "'html inline'"),
    "bold": ("The last paragraph.", "The **last** one.", 27, "'strong'"),
    "picture": ("The last paragraph.", "![a](https://example.com/a.png)", 27, "'image'"),
    "hidden address": ("The last paragraph.", "See [here](https://example.com/).", 27, "'link'"),
    "bare address": ("The last paragraph.", "See https://example.com/ for it.", 27, "between < and >"),
    "bare www": ("The last paragraph.", "See www.example.com for it.", 27, "between < and >"),
    "clear-text address": ("The last paragraph.", "See <http://example.com/> for it.", 27, "not a full web address"),
    "mail address": ("The last paragraph.", "Ask <ana@example.com> for it.", 27, "not a full web address"),
    "address with a full stop": ("The last paragraph.", "See <https://example.com/>.", 27, "comes a blank"),
    "unknown slot": ("The last paragraph.", "Ask {nobody}.", 27, "{nobody} is not a slot"),
    "open brace": ("The last paragraph.", "Ask {host.", 27, "is not a slot"),
    "closing brace": ("The last paragraph.", "Ask host}.", 27, "is not a slot"),
    "invisible character": ("The last paragraph.", "The\u200b last.", 27, "cannot be seen"),
    "escape sequence": ("The last paragraph.", "The \x1b[2J last.", 27, "cannot be seen"),
    "step left out": ("3. Done.", "4. Done.", 25, "it is step 3"),
    "steps from zero": ("1. Open", "0. Open", 20, "it is step 1"),
    "two paragraphs": ("3. Done.", "3. Done.\n\n   More.", 25, "one paragraph"),
    "empty step": ("3. Done.", "3.", 25, "one paragraph"),
    "unknown stage": ("proves: auth", "proves: login", 24, "'login' is not a stage"),
    "unknown remark": ("proves: auth", "shows: auth", 24, "begins with 'proves: '"),
    "remark without colon": ("proves: auth", "proves auth", 24, "begins with 'proves: '"),
    "remark twice": ("   - proves: auth", "   - proves: auth\n   - proves: tls", 25, "stands twice"),
    "remark of two blocks": ("- proves: auth", "- proves: auth\n\n     more", 24, "one line"),
}


@each_row(("old", "new", "line", "why"), BROKEN.values())
def test_a_broken_file_is_named_with_its_line_and_the_reason(old: str, new: str, line: int, why: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_guide(edited(old, new), "sample.md")
    assert re.match(rf"sample\.md, line {line}\b", str(caught.value)), str(caught.value)
    assert why in str(caught.value)


def test_a_guide_without_steps_is_refused() -> None:
    head = SAMPLE[: SAMPLE.index("1. Open")]
    with pytest.raises(DataError, match=r"sample\.md, line 12: a guide needs steps"):
        parse_guide(head, "sample.md")


def test_a_guide_without_a_word_is_refused() -> None:
    head = SAMPLE[: SAMPLE.index("# Send")]
    with pytest.raises(DataError, match=r"sample\.md, line 12: a guide needs a title"):
        parse_guide(head, "sample.md")


def outcome(text: str) -> str:
    """Return what reading a text comes to, in words."""
    try:
        return f"a guide of {len(parse_guide(text, 'sample.md').steps)} steps"
    except DataError as problem:
        return str(problem)


LINES = SAMPLE.split("\n")
SCRAPS = st.sampled_from(
    [*LINES, "---", "1. x", "2. x", "   - proves: auth", "   - then: x", "- ", "#", "# x", "> x", "{"]
)


@given(st.lists(st.tuples(st.integers(0, len(LINES)), st.sampled_from("idr"), SCRAPS), max_size=6))
def test_any_muddle_of_lines_is_a_guide_or_an_error_with_a_line(edits: list[tuple[int, str, str]]) -> None:
    lines = list(LINES)
    for place, kind, scrap in edits:
        if kind != "i":
            del lines[place : place + 1]
        if kind != "d":
            lines.insert(place, scrap)
    assert re.fullmatch(r"a guide of [1-9]\d* steps|sample\.md, line \d+.*", outcome("\n".join(lines)))


@given(st.text(max_size=300))
def test_any_text_is_a_guide_or_an_error(text: str) -> None:
    with pytest.raises(DataError, match=r"^sample\.md"):
        parse_guide(text, "sample.md")


# --- the guides ---


def write(folder: Path, guide_id: str, text: str) -> None:
    (folder / f"{guide_id}.md").write_text(text, "utf-8")


def test_guides_read_one_file_when_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "sample", SAMPLE)
    write(tmp_path, "broken", "nothing")
    guides = Guides(tmp_path)
    assert guides.ids() == ("broken", "sample")
    guide = guides.get("sample")
    (tmp_path / "sample.md").write_text("changed", "utf-8")
    assert guides.get("sample") is guide
    with pytest.raises(DataError, match=r"^broken\.md, line 1"):
        guides.get("broken")
    with pytest.raises(DataError, match=r"^broken\.md, line 1"):
        guides.all()


@pytest.mark.parametrize("name", ["nothing", "", "../guides/basic", "/etc/passwd", "basic.md", "a\x1b[2J"])
def test_an_unknown_guide_is_one_sentence(name: str) -> None:
    with pytest.raises(UnknownGuide) as caught:
        Guides().get(name)
    assert str(caught.value).startswith("There is no guide called '")
    assert "\x1b" not in str(caught.value)


def test_a_guide_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "sample", edited("minutes: 3", "leads_to: nowhere"))
    with pytest.raises(DataError, match=r"^sample\.md, line 6: leads to 'nowhere'"):
        load_guides(tmp_path)


def test_a_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sample.md").write_bytes(b"---\nid: \xff\n---\n")
    with pytest.raises(DataError, match=r"^sample\.md: not UTF-8"):
        Guides(tmp_path).get("sample")


@each_row("guide_id", sorted(GUIDES))
def test_the_markdown_for_a_pipe_is_the_file_with_its_slots_in_words(guide_id: str) -> None:
    raw = Guides().raw(guide_id)
    text = data_path("guides", f"{guide_id}.md").read_text("utf-8")
    for slot, words in SLOTS.items():
        text = text.replace(f"{{{slot}}}", words)
    assert raw == text
    assert parse_guide(raw, f"{guide_id}.md").title == fill(GUIDES[guide_id]).title


def test_importing_the_guides_brings_in_no_markdown_and_no_yaml() -> None:
    heavy = "{'markdown_it', 'yaml', 'textual', 'rich'}"
    code = f"import sys, smtp_wizard.engine.guides.guides; print({heavy} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=data_path().parent
    )
    assert run.stdout.strip() == "set()"


# --- names of guides in the words ---


@ALL
def test_on_a_screen_a_guide_is_named_by_its_title(guide: Guide) -> None:
    """An id is for the command line."""
    guides = Guides()
    for text in all_texts(with_titles(guide, guides)):
        assert not [name for name in named_guides(text) if name in GUIDES], text
    named = [name for text in all_texts(guide) for name in named_guides(text)]
    assert named_in(guide, guides) == tuple(dict.fromkeys(named))


@ALL
def test_on_a_screen_no_guide_names_a_command_where_there_is_an_area(guide: Guide) -> None:
    """One is of what no area does."""
    told = [
        text for text in all_texts(with_titles(guide, Guides())) if re.search("smtp-wizard [a-z]+ ?[A-Z-]|--", text)
    ]
    assert bool(told) is (guide.id == "microsoft-application"), told


@ALL
def test_a_title_says_what_is_done_also_where_nothing_is_known(guide: Guide) -> None:
    """It stands in a list, where no provider is known yet."""
    assert "{" not in guide.title
    assert len(guide.title) <= 66


def test_no_guide_speaks_of_a_provider_that_is_none() -> None:
    """A server entered by hand, and the practice server, have no help page and no website."""
    catalog = load_catalog()
    assert {each.id for each in catalog.providers if not each.firm} == {"custom", "sandbox"}
