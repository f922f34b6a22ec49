"""The safe client: which addresses it refuses, and that nobody can hold it up or lead it astray."""

import contextlib
import socket
import ssl
import threading
import time

import pytest

from notifications import outbound
from notifications.outbound import BODY_MAX, Unsafe, is_public, place_of, post
from tests.notifications.receiver import receiving


@pytest.fixture
def receiver(settings):
    with receiving() as one:
        settings.WEBHOOK_HOSTS = [one.host]
        yield one


def call(receiver, deadline_s=1.0, url=""):
    return post(url or receiver.url, body=b"{}", headers={"X-One": "1"}, deadline_s=deadline_s)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "198.18.0.1", "192.0.2.1", "192.88.99.1", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_inside_some_network_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111"])
def test_an_address_of_the_open_network_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/",
        "http://a.example/", "https://", "https:///x", "https://u:p@a.example/",
        "https://u@a.example/", "https://a.example:22/", "https://a.example:6379/",
        "https://a.example:x/", "https://a.example/a b", "https://a.example/\r\nX: 1",
        "https://a.example/" + "x" * 500, "https://" + "ä" * 70 + ".example/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_leads_elsewhere_is_refused(url):
    with pytest.raises(Unsafe):
        place_of(url)


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]",
     "[::ffff:127.0.0.1]", "169.254.169.254", "0"],
)  # fmt: skip
def test_however_it_is_spelt_this_machine_is_not_called(host):
    with pytest.raises(Unsafe):
        post(f"https://{host}/", body=b"", headers={})


def test_one_private_answer_among_several_refuses_the_host(monkeypatch):
    rows = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: rows)
    with pytest.raises(Unsafe):
        post("https://a.example/", body=b"", headers={})


def test_only_a_host_that_the_site_names_may_be_called_inside(receiver, settings):
    assert call(receiver).status == 200
    settings.WEBHOOK_HOSTS = []
    with pytest.raises(Unsafe):
        call(receiver)
    assert len(receiver.calls) == 1


def test_the_name_is_resolved_once_and_the_line_goes_to_that_answer(
    receiver, settings, monkeypatch
):
    settings.WEBHOOK_HOSTS = [f"hooks.example:{receiver.port}"]
    asked = []

    def answer(host, port, *args, **given):
        asked.append(host)
        address = "127.0.0.1" if asked.count("hooks.example") == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert call(receiver, url=f"http://hooks.example:{receiver.port}/in").status == 200
    assert asked.count("hooks.example") == 1
    assert receiver.calls[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_over_tls_the_certificate_is_asked_for_under_the_name(settings, monkeypatch):
    asked = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda line, name, _: asked.append(name)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        settings.WEBHOOK_HOSTS = ["hooks.example"]

        def serve():
            line, _ = server.accept()
            with line, contextlib.suppress(OSError):
                context.wrap_socket(line, server_side=True)

        threading.Thread(target=serve, daemon=True).start()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: rows)
        with pytest.raises(OSError, match="SSL"):
            post(f"https://hooks.example:{port}/", body=b"", headers={}, deadline_s=2)
    assert asked == ["hooks.example"]


def test_the_request_carries_what_was_given_and_nothing_of_this_machine(receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert call(receiver).body == b"ok"
    one = receiver.calls[0]
    assert one.line == "POST /in HTTP/1.1"
    assert (one.body, one.headers["x-one"]) == (b"{}", "1")
    assert one.headers["accept-encoding"] == "identity"
    assert not {"cookie", "authorization"} & set(one.headers)


def test_a_redirect_is_answered_and_not_followed(receiver):
    receiver.says("302 Found", f"Location: {receiver.url}2")
    assert call(receiver).status == 302
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("way", ["hang", "drip"])
def test_a_receiver_that_hangs_or_drips_is_left_at_the_deadline(receiver, way):
    receiver.answer = way
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        call(receiver, deadline_s=0.5)
    assert time.monotonic() - begun < 1.5


def test_a_name_server_that_hangs_is_left_at_the_deadline(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(3))
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        post("https://a.example/", body=b"", headers={}, deadline_s=0.4)
    assert time.monotonic() - begun < 1.5


def test_a_huge_answer_is_read_up_to_its_cap(receiver):
    receiver.answer = "huge"
    answer = call(receiver, deadline_s=5)
    assert (answer.status, len(answer.body)) == (200, BODY_MAX)


@pytest.mark.parametrize("way", ["reset", "drip-body"])
def test_an_answer_torn_after_its_status_counts_as_that_status(receiver, way):
    receiver.answer = way
    assert call(receiver, deadline_s=0.5).status == 200


def test_nobody_listening_is_an_error_of_the_line(receiver, settings):
    settings.WEBHOOK_HOSTS = ["127.0.0.1:9"]
    with pytest.raises(OSError, match="refused"):
        call(receiver, url="http://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("-3", None), ("9" * 50, 1e9)]
)
def test_retry_after_is_read_in_seconds(text, seconds):
    found = outbound._seconds(text)
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_a_date_beyond_all_dates_says_nothing():
    assert outbound._seconds("Fri, 31 Dec 9999 23:59:59 -2359") is None


def test_retry_after_may_be_a_date_that_has_passed():
    assert outbound._seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
