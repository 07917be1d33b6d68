"""What the plugin declares that it reaches and keeps."""

from __future__ import annotations

from clawdbot_commands import Commands
from clawdbot_commands.options import Options


def test_the_services_are_declared_each_wikipedia_among_them() -> None:
    needs = Commands().needs(Options())
    for host in ("api.open-meteo.com", "api.frankfurter.dev", "zh.wikipedia.org"):
        assert needs.allows(host)
    assert not needs.allows("wikipedia.org.example.net")
    assert needs.keeps


def test_ones_own_servers_are_declared_in_their_place() -> None:
    own = Options.model_validate({"ratesUrl": "http://127.0.0.1:9000", "wikiUrl": "http://[::1]/w"})
    needs = Commands().needs(own)
    assert needs.allows("127.0.0.1") and needs.allows("::1")
    assert not needs.allows("api.frankfurter.dev")
