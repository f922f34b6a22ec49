"""Who else is at a ticket, as colleagues are told."""


def address(stage) -> str:
    return f"/tickets/{stage.tickets['slow'].key}/here"


def test_who_else_is_here_is_said_to_colleagues_only(stage, sign_in, empty_redis):
    url = address(stage)
    nora, teo, ada = (sign_in(stage.people[name]) for name in ("nora", "teo", "ada"))
    nora.post(url, {"state": "types"})
    assert f"{stage.nora} is writing" in teo.post(url, {"state": "looks"}).content.decode()
    assert f"{stage.teo} is here" in nora.get(url).content.decode()
    assert ada.post(url, {"state": "types"}).status_code == 204
    assert str(stage.ada) not in nora.get(url).content.decode()
    teo.post(url, {"state": "gone"})
    assert str(stage.teo) not in nora.get(url).content.decode()
    assert sign_in(stage.bo).get(url).status_code == 404


def test_a_page_that_closes_late_takes_nobody_away_who_has_another_open(
    stage, sign_in, empty_redis
):
    url = address(stage)
    nora, teo = (sign_in(stage.people[name]) for name in ("nora", "teo"))
    nora.post(url, {"state": "looks", "page": "before"})
    nora.post(url, {"state": "types", "page": "after"})
    nora.post(url, {"state": "gone", "page": "before"})
    assert f"{stage.nora} is writing" in teo.get(url).content.decode()
    nora.post(url, {"state": "gone", "page": "after"})
    assert str(stage.nora) not in teo.get(url).content.decode()


def test_without_valkey_nobody_is_shown_and_nothing_breaks(stage, sign_in, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    client, url = sign_in(stage.nora), address(stage)
    assert client.post(url, {"state": "types"}).status_code == 200
    assert client.get(url).content.strip() == b""
