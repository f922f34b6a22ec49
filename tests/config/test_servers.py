"""The embedded servers: private, durable, and clear about what they cannot do."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from config.addresses import SOCKET_PATH_MAX, broker_address, socket_folder
from config.servers import (
    Server,
    ServerTrouble,
    create_database,
    possible_runners,
    postgres_server,
    valkey_server,
)


@pytest.fixture
def home() -> Path:
    """A folder that also the user nobody can enter."""
    folder = Path(os.environ["TIERLINE_HOME"]) / f"servers-{os.getpid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


@pytest.fixture
def postgres(home: Path) -> Iterator[Server]:
    server = postgres_server(home)
    server.start(home / "postgres.log")
    create_database(server)
    yield server
    server.stop()


def ask(server: Server, statement: str) -> object:
    link = psycopg2.connect(server.url)
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        link.close()


def test_postgres_listens_on_a_private_socket_only_and_guards_its_pages(postgres, home):
    assert ask(postgres, "SHOW listen_addresses") == ""
    assert ask(postgres, "SHOW data_checksums") == "on"
    assert ask(postgres, "SHOW fsync") == "on"
    assert ask(postgres, "SHOW server_version_num") >= "150000"
    for folder in (home / "pg", socket_folder(home, "pg")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_was_committed_survives_a_killed_postmaster(postgres, home):
    ask(postgres, "CREATE TABLE kept AS SELECT generate_series(1, 500)")
    os.kill(postgres.process.pid, signal.SIGKILL)
    postgres.process.wait()
    postgres.start(home / "postgres.log")
    assert ask(postgres, "SELECT count(*) FROM kept") == 500


def test_data_of_another_version_are_refused_with_advice(home):
    other = home / "elsewhere"
    (other / "pg").mkdir(parents=True)
    (other / "pg" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerTrouble, match=r"belongs to PostgreSQL 9.*TIERLINE_HOME"):
        postgres_server(other)


def test_a_half_made_cluster_is_made_anew(home):
    other = home / "half"
    (other / "pg.new").mkdir(parents=True)
    (other / "pg.new" / "rubbish").write_text("")
    postgres_server(other)
    assert (other / "pg" / "PG_VERSION").exists()
    assert not (other / "pg.new").exists()


def test_valkey_keeps_what_it_was_given_through_a_kill(home):
    server = valkey_server(home)
    server.start(home / "valkey.log")
    client = redis.Redis.from_url(server.url)
    try:
        for number in range(100):
            client.set(f"key-{number}", number)
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("port")["port"] == "0"
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        server.start(home / "valkey.log")
        assert client.dbsize() == 100
    finally:
        client.close()
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to look for another user")
def test_no_way_of_running_a_server_keeps_the_rights_of_root():
    for runner in possible_runners():
        answer = runner.run(["id", "-u"])
        assert answer.returncode != 0 or answer.stdout.strip() != "0"


def test_a_deep_home_gets_a_short_path_for_its_sockets(tmp_path):
    deep = tmp_path / ("d" * 120)
    folder = socket_folder(deep, "pg")
    assert len(os.fsencode(folder / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_MAX
    assert folder != socket_folder(tmp_path / ("e" * 120), "pg")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("redis://h:6379/1", "redis://h:6379/1"),
        ("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0"),
        ("unix:///run/v.sock?db=3", "redis+socket:///run/v.sock?virtual_host=3"),
    ],
)
def test_celery_gets_the_broker_address_in_its_own_form(given, wanted):
    assert broker_address(given) == wanted
