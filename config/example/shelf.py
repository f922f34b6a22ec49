"""What the example site knows: articles for everybody, articles for the service, runbooks."""

from typing import NamedTuple


class Text(NamedTuple):
    """One article: its words (a paragraph may run over lines), for whom, tied to what, by whom."""

    title: str
    body: str
    audience: str = "public"
    author: str = "ben"
    services: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keywords: str = ""
    items: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    helped: tuple[str, ...] = ()
    not_helped: tuple[str, ...] = ()


ARTICLES = (
    Text(
        "Your password has expired, or you have forgotten it",
        """Open the sign-in page of your computer and press **I forgot my password**. A code
comes to your phone; it is good for ten minutes.

1. Type the code.
2. Choose a new password: at least twelve characters. Three or four words are easier to keep in
   mind than one with signs in it.
3. Sign in again on your phone too, or it will ask you all day.

If no code comes, your phone number is not known to us. Tell us; we call you back on the number
that your office has.""",
        services=("workplace",),
        categories=("password",),
        keywords="locked out login credentials reset Kennwort Passwort vergessen",
        helped=("rita", "sophie", "mike"),
    ),
    Text(
        "The printer prints blank or grey pages",
        """Most often the toner has just been changed, and the seal is still on it.

- Take the toner out. If there is a strip of orange plastic, pull it off in one go.
- Put the toner back until it clicks, and print one page.
- Still blank? Press **Menu → Clean**. It takes two minutes.

If the pages stay blank, ask us and tell us the number on the sticker, such as *B3-17*.""",
        services=("workplace",),
        categories=("hardware",),
        keywords="empty white printing paper Drucker leere Seiten",
        author="david",
        helped=("sophie",),
    ),
    Text(
        "Your phone no longer shows new meetings or mails",
        """Your phone stops asking for news when its password is old.

1. Open **Settings → Accounts** and choose the account of your work.
2. Press **Sign in again**, and use the password of your computer.
3. Wait a minute with the calendar open.

On phones more than five years old the mail program is no longer supported. Use the web page
instead until you get a new one.""",
        services=("e-mail",),
        keywords="calendar sync mobile telephone update Kalender Handy",
        author="chloe",
        helped=("mike",),
        not_helped=("sophie",),
    ),
    Text(
        "Work from home: connect to the VPN",
        """Start **Remote access** and choose the place that is nearest to you; it matters for
speed.

- *Sign-in refused*: your password has expired. Change it first.
- *Connected, but pages do not open*: switch it off and on once. A hotel may ask you to accept its
  conditions in the browser before anything else works.
- *It drops every few minutes*: try the cable instead of the wireless; if that helps, move nearer
  to the router.

Ask us if it goes on; tell us the time of the last drop, to the minute.""",
        services=("remote-access",),
        categories=("access",),
        keywords="remote tunnel home office drops disconnect Verbindung bricht ab",
        author="anna",
        helped=("rita",),
    ),
    Text(
        "A mail looks wrong: what to do",
        """Do not press any link in it, and do not answer.

- **You have pressed nothing:** forward it to the address *suspicious* and delete it.
- **You have pressed a link or given a password:** ask us at once, as *Something looks
  suspicious*. Nobody will be cross; every minute counts.

A bank, a supplier or your manager never asks for a password by mail. Changed bank details are
always checked by telephone, on a number that you know.""",
        services=("e-mail",),
        categories=("phishing", "security"),
        keywords="phishing spam fraud virus scam invoice Betrug verdächtig",
        author="omar",
        helped=("rita", "mike"),
    ),
    Text(
        "Order a headset, a screen or another device",
        """Choose **I need something** when you ask, and say for whom and for which room. Devices
that are in stock arrive within two working days; everything else takes two weeks and your
manager's word.""",
        services=("workplace",),
        categories=("hardware",),
        keywords="new laptop monitor keyboard mouse request purchase bestellen",
        author="chloe",
    ),
    Text(
        "Shipping labels carry the wrong sender",
        """The sender comes from the profile of the *label printer*, not from the order.

1. Note the printer's name and one order number.
2. In the warehouse system, open **Printers → Profile** and compare the warehouse code.
3. Set it to the code of the hall in which the printer stands; print one label.

After a restore of the print server all profiles point to warehouse 1. Then pass it to Database
Administration with the list of printers.""",
        "internal",
        author="grace",
        services=("warehouse",),
        categories=("data",),
    ),
    Text(
        "Order gateway: 502 at payment",
        """Check whether it is us or the bank **before** anything is restarted: the status page
of the bank, then the share of busy workers on the gateway.

Restarting one node brings minutes only. The cause last time was a retry loop in the bank's client
that held every worker.""",
        "internal",
        author="kenji",
        services=("ordering",),
        categories=("outage",),
        items=(
            "Look at the bank's status page",
            "Count busy workers on each gateway node",
            "Tell Communications what customers see",
            "Take one node out, restart it, put it back",
            "Set the retry limit of the bank's client to 2",
            "Watch ten orders go through",
        ),
        steps=("outage: Page who is on call",),
    ),
    Text(
        "Patient portal is slow: what to look at first",
        """Compare today's query plans with yesterday's before scaling anything. Results of the
laboratory come through one index; when it is rebuilt by day, everything waits for it.""",
        "internal",
        author="hugo",
        services=("patient-portal",),
        categories=("performance",),
        items=(
            "Compare the plans of the five slowest queries with yesterday's",
            "Ask Database Administration whether an index is being rebuilt",
            "Switch laboratory results to the replica",
            "Tell the incident manager what clinics can still do",
        ),
    ),
)
