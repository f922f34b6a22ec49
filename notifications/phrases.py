"""What this floor itself says in letters, marked for the catalogues of every language."""

from typing import Final

from django.utils.translation import gettext_noop

from notifications.shipped import ship

CODE: Final = gettext_noop("Your Tierline code is {code}")
CODE_BODY: Final = gettext_noop(
    "Enter it on the page “How you are told”. It is good for 15 minutes. If you did not ask for it,"
    " do nothing."
)
TEST: Final = gettext_noop("Test: this is how Tierline reaches you")
TEST_BODY: Final = gettext_noop(
    "You asked for it. Nothing has happened and there is nothing to do."
)
TAKES: Final = gettext_noop("You take the pages of {actor}")
TAKES_BODY: Final = gettext_noop("Until {until} UTC whatever pages {actor} pages you instead.")
INSTEAD: Final = gettext_noop("You take this page for {name}, who is away.")
ENDED: Final = gettext_noop("One of your addresses takes no messages any more")
ENDED_BODY: Final = gettext_noop(
    "It said so itself, so nothing is sent there now. See “How you are told”, and add it again or"
    " another one before your next time on call."
)
WELCOME: Final = gettext_noop("You have been invited to Tierline")
WELCOME_ACCOUNT: Final = gettext_noop(
    "{actor} has made an account for you. Your user name is {username}."
)
WELCOME_BODY: Final = gettext_noop("Choose a password with the link below. It is good for one day.")
WELCOME_LINK: Final = gettext_noop("Choose a password")

RESET: Final = gettext_noop("A new password for Tierline")
RESET_BODY: Final = gettext_noop(
    "Somebody, perhaps you, asked for a new password for {username}. The link below is good for two"
    " hours. If it was not you, do nothing: the password stays as it is."
)
RESET_LINK: Final = gettext_noop("Choose a new password")
CHANGED: Final = gettext_noop("Your password was changed")
CHANGED_BY: Final = gettext_noop("{actor} has set a new password for you.")
CHANGED_BODY: Final = gettext_noop(
    "Whoever was signed in with the old one is signed out. If you know nothing of it, ask for a new"
    " one on the sign-in page at once, and tell your administrators."
)

KINDS: Final = {
    "address_ended": ENDED,
    "takes_pages": TAKES,
    "welcome": WELCOME,
    "reset": RESET,
    "password": CHANGED,
}
"""What this floor tells of by itself, apart from codes and tests."""

ship(
    (
        *(CODE, CODE_BODY, TEST, TEST_BODY, TAKES, TAKES_BODY, INSTEAD),
        *(ENDED, ENDED_BODY),
        *(WELCOME, WELCOME_ACCOUNT, WELCOME_BODY, WELCOME_LINK),
        *(RESET, RESET_BODY, RESET_LINK, CHANGED, CHANGED_BY, CHANGED_BODY),
    )
)
