"""The forms of signing in, and of passwords."""

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import PageForm
from web.forms.setup import NewPasswordForm


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


class ForgottenForm(PageForm):
    """Who forgot their password."""

    called = forms.CharField(
        label=_("User name or e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        error_messages={"required": _("Enter your user name or your e-mail address.")},
    )


class OwnPasswordForm(NewPasswordForm):
    """Another password for whoever knows the present one."""

    current = forms.CharField(
        label=_("Your present password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your present password.")},
    )
    field_order = ("current", "password")
