"""Mail is read whatever it is: nothing raises, nothing is lost, what is odd is said."""

import pytest

from api.mail.plain import text_of_html
from api.mail.quoting import fold
from api.mail.reading import DEPTH_MAX, read
from tests.api.mails import raw, returned


def test_a_plain_mail_is_read_whole():
    mail = read(raw("Grüße", subject="Drucker kaputt", files=(("a b.pdf", b"%PDF"),)))
    assert (mail.sender, mail.sender_name) == ("rita@example.org", "Rita")
    assert (mail.subject, mail.text) == ("Drucker kaputt", "Grüße")
    assert mail.message_id == "<1@example.org>"
    assert mail.recipients == ("support@desk.example",)
    assert [(file.name, file.content) for file in mail.files] == [("a b.pdf", b"%PDF")]
    assert mail.troubles == ()


def test_words_stand_before_the_page_and_a_page_alone_becomes_words():
    both = read(raw("Plain", html="<p>Page</p>"))
    assert (both.text, "<p>Page</p>" in both.html) == ("Plain", True)
    page = (
        b"Content-Type: text/html\r\nFrom: a@b.example\r\n\r\n<p>One<br>two</p><script>no</script>"
    )
    assert read(page).text == "One\ntwo"


def test_quotes_of_a_page_are_marked():
    assert text_of_html("Yes<blockquote>Is it<br>on?</blockquote>") == "Yes\n> Is it\n> on?"


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "no-such-charset", "utf-7\x00", ""])
def test_a_charset_that_lies_costs_no_words(charset):
    head = f"From: a@b.example\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    mail = read(head + b"Gr\xfc\xdfe und mehr")
    assert "und mehr" in mail.text
    assert "\x00" not in mail.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 500,
        b"no header at all",
        b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ncut off",
        b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"From: a@b.example\r\nContent-Transfer-Encoding: no-such\r\n\r\nx",
        b"From: =?utf-8?q?=FF?= <a@b.example>\r\nSubject: =?x?b?\xff\xfe?=\r\n\r\nx",
        b'From: "a@b.example\r\nSubject: ' + b"=?utf-8?q?" * 500 + b"\r\n\r\nx",
        b"From: " + b"a@b.example, " * 5000 + b"\r\n\r\nx",
        b"From: a@b.example\r\nReferences: " + b"<x@y> " * 20_000 + b"\r\n\r\nx",
        b"From: a@b.example\r\nDate: Mon, 99 Foo 2026 99:99:99 +9999\r\n\r\nx",
        b"From: a@b.example\r\nContent-Disposition: attachment; filename*=x''%ff%00\r\n\r\nx",
    ],
)
def test_damaged_mail_is_read_as_far_as_it_goes(content):
    mail = read(content)
    assert mail.sender in ("", "a@b.example")
    assert "\x00" not in mail.text + mail.subject + mail.html


def test_nests_of_parts_are_read_to_a_depth():
    body = b"Content-Type: text/plain\r\n\r\ninside\r\n"
    for number in range(60):
        mark = f"b{number}".encode()
        head = b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n"
        body = head + b"--" + mark + b"\r\n" + body + b"\r\n--" + mark + b"--\r\n"
    mail = read(b"From: a@b.example\r\n" + body)
    assert mail.text == ""
    assert f"more than {DEPTH_MAX} deep" in mail.troubles[0]
    many = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    many += b"--x\r\nContent-Disposition: attachment; filename=f\r\n\r\ny\r\n" * 500 + b"--x--\r\n"
    assert len(read(many).files) == 200


def test_no_line_break_comes_out_of_a_header():
    folded = b"From: a@b.example\r\nSubject: =?utf-8?q?one=0D=0ABcc:_eve@x.example?=\r\n\r\nx"
    assert read(folded).subject == "one Bcc: eve@x.example"


def test_a_report_names_the_mail_that_came_back():
    report = read(returned("<k@desk.example>")).report
    assert report is not None
    assert (report.action, report.recipient) == ("failed", "rita@example.org")
    assert report.diagnostic == "550 5.1.1 No such user"
    assert report.ids == ("<k@desk.example>",)


QUOTED = "On Mon, 2 Mar 2026 at 09:00, Desk <d@x.example>\nwrote:\n> What does it show?\n> Ann"
OUTLOOK = "-----Original Message-----\nFrom: Desk\nSent: Monday\nTo: Rita\n\nWhat does it show?"
VON = "Von: Desk <d@x.example>\nGesendet: Montag\nAn: Rita\nBetreff: x\n\nWas zeigt es?"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"It works.\n\n{QUOTED}", "It works."),
        (f"It works.\n\n{OUTLOOK}", "It works."),
        (f"Es geht.\n\n{VON}", "Es geht."),
        (f"Es geht.\n\n{'_' * 32}\n{VON}", "Es geht."),
        ("It works.\n-- \nRita\nAcme", "It works."),
        ("It works.\n\nSent from my phone", "It works."),
        (f"{QUOTED}\n\nIt works.", "It works."),
        ("> What?\n\nThis.\n\n> And then?\n\nThat.", "This.\n\n> And then?\n\nThat."),
        (
            "Am Montag schrieb der Chef:\nEs geht nicht.",
            "Am Montag schrieb der Chef:\nEs geht nicht.",
        ),
        ("> only a quote", "> only a quote"),
        ("I live in From: nowhere", "I live in From: nowhere"),
        ("", ""),
    ],
)
def test_quotes_and_signatures_are_folded_and_nothing_is_lost(text, written):
    kept, rest = fold(text)
    assert kept == written
    assert sorted((kept + "\n" + rest).split()) == sorted(text.split())
