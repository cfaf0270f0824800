import pytest

from tests.targets import target

GOOD = (
    "atom.example.com:443",
    "db:5432",
    "https://atom.example.com",
    "postgresql://db",
    "rediss://cache:6380",
    "[::1]:443",
)


def test_hosts_are_places_with_a_port_or_a_scheme_that_has_one() -> None:
    assert target(security={"hosts": GOOD}).security.hosts == GOOD


@pytest.mark.parametrize(
    "host",
    ["atom.example.com", "rediss://cache", "ftp://atom:21", "https://atom/x", "https://a:b@atom", "a:b:c", ":443"],
)
def test_a_host_that_cannot_be_asked_is_refused_with_the_inventory(host: str) -> None:
    with pytest.raises(ValueError, match=r"expected HOST:PORT|needs a port|Port could not"):
        target(security={"hosts": [host]})
