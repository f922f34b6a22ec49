"""Errors of our own that Django REST framework does not know; `problems` puts them into words."""

from collections.abc import Mapping

from rest_framework import exceptions, status


class BadParameter(exceptions.APIException):
    """A query parameter is unknown or wrong; `names` says which and why."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_parameter"

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__("A query parameter is unknown or wrong.")
        self.names = names


class TooLarge(exceptions.APIException):
    """The body is longer than this address takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class PreconditionFailed(exceptions.APIException):
    """Somebody else has changed it since it was read."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It has changed since you read it; read it again."
    default_code = "changed_since"


class Busy(exceptions.APIException):
    """The database cannot take it now; nothing was kept."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "This cannot be stored right now; send it again."
    default_code = "unavailable"


class OutOfRange(exceptions.APIException):
    """A value that fits its kind, and lies beyond what can be counted with or kept."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "A time or a number in the request is out of all range."
    default_code = "out_of_range"
