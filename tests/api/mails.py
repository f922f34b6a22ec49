"""Raw mails for tests, as programs and people write them."""

from email.message import EmailMessage
from email.policy import SMTP

ADDRESS = "support@desk.example"


def raw(
    text: str = "The printer prints nothing.",
    *,
    sender: str = "Rita <rita@example.org>",
    to: str = ADDRESS,
    subject: str = "Printer",
    ident: str = "<1@example.org>",
    html: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    **headers: str,
) -> bytes:
    """One mail; further headers by their names, with _ for -."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    if ident:
        mail["Message-ID"] = ident
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def returned(original: str, *, action: str = "failed", to: str = "rita@example.org") -> bytes:
    """A mail server's report (RFC 3464) on the mail with that Message-ID."""
    return (
        "From: MAILER-DAEMON@mx.example.org\r\nTo: tierline@localhost\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <dsn1@mx.example.org>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b1\r\n\r\n"
        "--b1\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b1\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"
        "--b1\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: tierline@localhost\r\nMessage-ID: {original}\r\nSubject: x\r\n\r\nbody\r\n"
        "--b1--\r\n"
    ).encode()
