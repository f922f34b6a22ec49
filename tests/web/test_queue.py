"""The queue page."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tickets.opening import open_ticket

ROWS_QUERIES = 12


def count_queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as taken:
        response = client.get(url)
    assert response.status_code == 200
    return len(taken), [query["sql"][:150] for query in taken]


def test_the_queue_costs_the_same_whatever_the_rows(stage, sign_in):
    client = sign_in(stage.ines)
    few, _ = count_queries(client, "/?view=all")
    for number in range(30):
        open_ticket(requester=stage.bo, actor=stage.bo, subject=f"One more {number}")
    many, statements = count_queries(client, "/?view=all")
    assert many <= ROWS_QUERIES, "\n".join(statements)
    assert many == few
