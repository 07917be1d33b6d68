"""Every key either acts, and we know where, or says at the start that it doesn't."""

from __future__ import annotations

import pytest

from clawdcore.config import INERT, parse
from clawdcore.config.inert import inert_reason
from clawdcore.config.keys import all_keys, describe, leaf_keys

# Where each key acts: the module that reads it.
ACTING = {
    "agents.defaults.model.primary": "clawdcore/worker/models.py",
    "agents.defaults.model.fallbacks": "clawdcore/worker/models.py",
    "agents.defaults.workspace": "clawdcore/config/model.py (workspace_path)",
    "agents.defaults.compaction.mode": "clawdcore/hooks/context.py (Context.compaction)",
    "agents.defaults.maxConcurrent": "clawdcore/worker/app.py (seats)",
    "agents.defaults.subagents.maxConcurrent": "clawdcore/worker/reading.py (seats)",
    "agents.defaults.timeout.request": "clawdcore/worker/models.py",
    "agents.defaults.timeout.media": "clawdcore/worker/reading.py (deadline)",
    "agents.defaults.timeout.total": "clawdcore/worker/pipeline.py (deadline)",
    "agents.defaults.worker.memoryMb": "clawdcore/edge/supervisor.py",
    "models.mode": "clawdcore/config/providers.py",
    "models.providers.<name>.baseUrls": "backends (ProviderConfig)",
    "models.providers.<name>.apiKey": "backends (ProviderConfig)",
    "models.providers.<name>.api": "backends (ProviderConfig)",
    "models.providers.<name>.models[].id": "backends (ProviderConfig)",
    "models.providers.<name>.models[].name": "backends (ProviderConfig)",
    "models.providers.<name>.models[].contextLength": "backends (ProviderConfig)",
    "models.providers.<name>.models[].maxOutputTokens": "backends (ProviderConfig)",
    "models.providers.<name>.options": "backends (ProviderConfig)",
    "channels.telegram.botToken": "clawdcore/edge",
    "channels.telegram.apiRoot": "clawdcore/edge",
    "channels.telegram.owner": "clawdcore/worker/owner.py",
    "channels.telegram.dmPolicy": "clawdcore/access.py",
    "channels.telegram.allowFrom": "clawdcore/access.py",
    "channels.telegram.groups.<chat id>.requireMention": "clawdcore/access.py",
    "channels.telegram.groups.<chat id>.enabled": "clawdcore/access.py",
    "channels.telegram.groups.<chat id>.allowFrom": "clawdcore/access.py",
    "channels.telegram.webhook.url": "clawdcore/edge/receiving.py",
    "channels.telegram.webhook.secret": "clawdcore/edge/receiving.py",
    "channels.telegram.webhook.path": "clawdcore/edge/receiving.py",
    "channels.telegram.webhook.host": "clawdcore/edge/receiving.py",
    "channels.telegram.webhook.port": "clawdcore/edge/receiving.py",
    "channels.telegram.textChunkLimit": "clawdcore/edge/delivery",
    "channels.telegram.streaming": "clawdcore/edge/delivery",
    "channels.telegram.pace.perSecond": "clawdcore/edge/delivery/pace.py",
    "channels.telegram.pace.perChat": "clawdcore/edge/delivery/pace.py",
    "channels.telegram.pace.groupPerMinute": "clawdcore/edge/delivery/pace.py",
    "channels.telegram.staleAfter": "clawdcore/edge/backlog.py",
    "channels.telegram.pollTimeout": "clawdcore/edge/polling.py",
    "gateway.enabled": "clawdcore/cli/serve.py",
    "gateway.port": "clawdcore/cli/serve.py",
    "gateway.host": "clawdcore/cli/serve.py",
    "gateway.maxConcurrentRequests": "clawdcore/worker/app.py (the gates' ceiling)",
    "gateway.requestQueueSize": "clawdcore/worker/app.py (the gates' bound)",
    "gateway.auth.token": "clawdcore/gateway/keys.py",
    "gateway.auth.clients[].name": "clawdcore/gateway/keys.py",
    "gateway.auth.clients[].token": "clawdcore/gateway/keys.py",
    "gateway.auth.clients[].priority": "clawdcore/gateway/keys.py",
    "gateway.alerts.queue": "clawdcore/worker/alerts.py",
    "gateway.alerts.cpu": "clawdcore/worker/alerts.py",
    "gateway.alerts.replicas": "clawdcore/worker/alerts.py",
    "plugins[].name": "clawdcore/hooks/loader.py",
    "plugins[].options": "clawdcore/hooks/loader.py",
    "plugins[].enabled": "clawdcore/hooks/loader.py",
    "plugins[].budget.seconds": "clawdcore/worker/budgets.py",
    "plugins[].budget.atOnce": "clawdcore/worker/budgets.py",
    "plugins[].budget.failures": "clawdcore/hooks/quarantine.py",
    "plugins[].budget.messages": "clawdcore/worker/unasked.py",
}


def test_every_key_acts_or_is_inert_and_never_both() -> None:
    leaves = {key.path for key in leaf_keys()}
    inert = {path for path in leaves if inert_reason(path)}
    assert leaves - inert == ACTING.keys()


@pytest.mark.parametrize("path", INERT)
def test_every_inert_path_is_a_key(path: str) -> None:
    assert path in {key.path for key in all_keys()}
    assert INERT[path].endswith(".")


def test_inert_keys_are_told_when_the_file_sets_them_and_only_then() -> None:
    config = parse(
        """{ gateway: { port: 18780, auth: { password: "p" } },
        agents: { defaults: { subagents: { maxConcurrent: 16 }, maxConcurrent: 8 } },
        messages: { queue: { mode: "steer", cap: 9 } },
        channels: { telegram: { mediaMaxMb: 20, streaming: "off" } },
        plugins: ["ocr", { name: "chat", budget: { seconds: 5 } }] }""",
        env={},
    )
    assert [
        line.split(" has no effect in this version: ")[0] for line in config.inert_keys_set()
    ] == [
        "messages.queue",
        "channels.telegram.mediaMaxMb",
    ]
    assert parse("{}", env={"TELEGRAM_BOT_TOKEN": "1:a"}).inert_keys_set() == []


def test_keys_are_found_by_their_place() -> None:
    id_ = describe(("models", "providers", "vllm", "models", 3, "id"))
    assert id_ is not None
    assert (id_.path, id_.kind) == ("models.providers.<name>.models[].id", "text")
    group = describe(("channels", "telegram", "groups", "-5"))
    assert group is not None
    assert (group.path, group.kind) == ("channels.telegram.groups.<chat id>", "section")
    assert describe(("agents", "nothing", "below")) is None
    assert describe(("plugins", 0, "options", "free")) is None


def test_every_key_has_a_meaning_and_an_example_or_a_default() -> None:
    for key in all_keys():
        assert key.field is not None
        if key.kind != "section":
            assert key.field.description
            assert key.field.description.endswith(".")
            default = None if key.field.is_required() else key.field.get_default()
            assert key.field.examples or default not in (None, [], ()), key.path
