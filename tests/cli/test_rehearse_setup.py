"""The rehearsal's configuration: the owner's sizes and pace, and nothing else of the owner's."""

from __future__ import annotations

import socket
from pathlib import Path

from clawdcore import config as configuration
from clawdcore.cli.rehearse_setup import HOST, free_port, has_translate, present, settings_for

REAL = """{
  agents: { defaults: { model: "vllm/big", workspace: "/srv/bot", timeout: { total: 90000 } } },
  models: { providers: { vllm: { baseUrls: ["http://a:8000/v1", "http://b:8000/v1"] } } },
  gateway: { port: 18999, host: "0.0.0.0", maxConcurrentRequests: 7, requestQueueSize: 9,
    auth: { token: "gate-secret" } },
  channels: { telegram: { botToken: "123:real-secret", owner: 5, dmPolicy: "disabled",
    pace: { groupPerMinute: 12 }, streaming: "off" } },
  plugins: ["chat", { name: "translate", enabled: false }],
}"""


def test_sizes_timeouts_and_pace_are_the_owners() -> None:
    real = configuration.parse(REAL, env={})
    settings = settings_for(real, 4321)
    text = settings.written("http://127.0.0.1:9", Path("/own/workspace"))
    config = configuration.parse(text, env=settings.environment({}))
    assert config.gateway.max_concurrent_requests == 7
    assert config.gateway.request_queue_size == 9
    assert config.agents.defaults.timeout == real.agents.defaults.timeout
    assert config.channels.telegram.pace == real.channels.telegram.pace
    assert config.channels.telegram.streaming == "off"
    assert config.models.providers["vllm"].base_urls == real.models.providers["vllm"].base_urls
    assert settings.timeout == 90.0


def test_the_gateway_the_account_and_the_folder_are_its_own() -> None:
    settings = settings_for(configuration.parse(REAL, env={}), 4321)
    text = settings.written("http://127.0.0.1:9", Path("/own/workspace"))
    config = configuration.parse(text, env=settings.environment({}))
    assert (config.gateway.host, config.gateway.port) == (HOST, 4321)
    assert config.gateway.enabled
    assert config.gateway.auth.token is None
    assert config.workspace_path == Path("/own/workspace")
    assert config.channels.telegram.dm_policy == "open"
    assert "secret" not in text


def test_a_gateway_that_is_switched_off_is_on_for_the_rehearsal() -> None:
    real = configuration.parse("{ gateway: { enabled: false } }", env={})
    settings = settings_for(real, 4321)
    config = configuration.parse(settings.written("http://127.0.0.1:9", Path("/w")), env={})
    assert config.gateway.enabled


def test_the_advice_learns_what_is_set() -> None:
    known = present(configuration.parse(REAL, env={}))
    assert (known.model, known.base_urls, known.total) == ("vllm/big", 2, 90.0)
    assert known.group_per_minute == 12


def test_translation_is_rehearsed_where_it_is_on() -> None:
    assert has_translate(configuration.parse("{}", env={}))
    assert not has_translate(configuration.parse(REAL, env={}))


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listening:
        listening.bind((HOST, free_port()))
