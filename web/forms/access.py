"""The sign-in form."""

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import PageForm


class SignInForm(PageForm):
    """User name and password; whether they are right is asked elsewhere."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        error_messages={"required": _("Enter your user name.")},
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )
