"""Pages for what went wrong on our side."""

import pytest
from django.db import OperationalError, connection


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (OperationalError, 503, "The database does not answer"),
        (ValueError, 500, "Something broke on our side"),
    ],
)
def test_a_database_that_is_away_is_told_from_a_fault_of_ours(
    stage, sign_in, trouble, status, words
):
    def fail(*asked: object) -> None:
        raise trouble("gone")

    client = sign_in(stage.ines)
    client.raise_request_exception = False
    with connection.execute_wrapper(fail):
        answer = client.get("/tickets/INC-000001?show=talk")
    page = answer.content.decode()
    assert answer.status_code == status
    assert words in page
    assert ("Retry-After" in answer) == ('href="/tickets/INC-000001?show=talk"' in page)
    assert ("Retry-After" in answer) == (status == 503)
