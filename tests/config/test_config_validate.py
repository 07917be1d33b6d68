"""Unknown keys and wrong values: each told with its place, and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from clawdcore.config import ConfigProblems, parse
from clawdcore.errors import ConfigValueError


def problems(text: str, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, env=env or {}, file=Path("clawdbot.json"))
    lines = [str(problem) for problem in caught.value.problems]
    assert str(caught.value) == "\n".join(lines)
    assert all(problem.fix for problem in caught.value.problems)
    return lines


def telegram(text: str) -> str:
    return f"{{channels: {{telegram: {{{text}}}}}}}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{\n agents: { defaults: {\n  modle: "a/b" } } }',
            'clawdbot.json:3:3: agents.defaults.modle is no key here; did you mean "model"? '
            "Write model instead of modle.",
        ),
        (
            telegram('bot_token: "1:a"'),
            "clawdbot.json:1:24: channels.telegram.bot_token is no key here; did you mean "
            '"botToken"? Write botToken instead of bot_token.',
        ),
        (
            # "token" exists under gateway.auth, but here botToken is the likelier meaning.
            telegram('token: "1:a"'),
            "clawdbot.json:1:24: channels.telegram.token is no key here; did you mean "
            '"botToken"? Write botToken instead of token.',
        ),
        (
            '{dmPolicy: "open"}',
            'clawdbot.json:1:2: dmPolicy is no key here; "dmPolicy" belongs under '
            "channels.telegram. Move it under channels.telegram.",
        ),
        (
            telegram('host: "a"'),
            'clawdbot.json:1:24: channels.telegram.host is no key here; "host" belongs under '
            "gateway or channels.telegram.webhook. "
            "Move it under gateway or channels.telegram.webhook.",
        ),
        (
            "{gateway: {auth: {qqqq: 1}}}",
            "clawdbot.json:1:19: gateway.auth.qqqq is no key here; gateway.auth has token, "
            "clients. Remove it.",
        ),
        (
            '{models: {providers: {vllm: {models: [{id: "a", ContextLength: 8192}]}}}}',
            "clawdbot.json:1:49: models.providers.vllm.models[0].ContextLength is no key here; "
            'did you mean "contextLength"? Write contextLength instead of ContextLength.',
        ),
        (
            "{models: {providers: {vllm: {name: 'a'}}}}",
            "clawdbot.json:1:30: models.providers.vllm.name is no key here; a provider's name is "
            "its key in providers. Remove it.",
        ),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_known_one(text: str, line: str) -> None:
    assert problems(text) == [line]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{agents: {defaults: {maxConcurrent: "8"}}}',
            "1:37: agents.defaults.maxConcurrent must be a whole number from 1 to 1024, "
            "but it is text. Write it as maxConcurrent: 8.",
        ),
        (
            "{agents: {defaults: {maxConcurrent: 0}}}",
            "1:37: agents.defaults.maxConcurrent must be a whole number from 1 to 1024. "
            "Write it as maxConcurrent: 8.",
        ),
        (
            "{agents: {defaults: {maxConcurrent: 2.5}}}",
            "1:37: agents.defaults.maxConcurrent must be a whole number from 1 to 1024. "
            "Write it as maxConcurrent: 8.",
        ),
        (
            "{agents: {defaults: {maxConcurrent: true}}}",
            "1:37: agents.defaults.maxConcurrent must be a whole number from 1 to 1024, "
            "but it is true. Write it as maxConcurrent: 8.",
        ),
        (
            "{agents: 5}",
            "1:10: agents must be an object { … }, but it is a number. Write it as agents: { … }.",
        ),
        (
            "{agents: {defaults: {model: [1]}}}",
            "1:29: agents.defaults.model must be text, or an object { … }, but it is a list. "
            "Write it as model: { … }.",
        ),
        (
            "{agents: {defaults: {model: {fallbacks: [7]}}}}",
            "1:42: agents.defaults.model.fallbacks[0] must be text, but it is a number. "
            "Put it in quotes.",
        ),
        (
            "{agents: {defaults: {workspace: ''}}}",
            "1:33: agents.defaults.workspace is empty. Write a value, or remove the key.",
        ),
        (
            "{agents: {defaults: {compaction: {mode: 'safegard'}}}}",
            '1:41: agents.defaults.compaction.mode must be one of "safeguard", "default". '
            'Did you mean "safeguard"?',
        ),
        (
            telegram("dmPolicy: 'pairing'"),
            '1:34: channels.telegram.dmPolicy must be one of "open", "allowlist", "disabled". '
            'Pairing is OpenClaw\'s; write "allowlist", and name the people in allowFrom.',
        ),
        (
            telegram("dmPolicy: null"),
            '1:34: channels.telegram.dmPolicy must be one of "open", "allowlist", "disabled", '
            'but it is null. Write it as dmPolicy: "open".',
        ),
        (
            telegram("groups: {'*': {requireMention: 'yes'}}"),
            '1:55: channels.telegram.groups["*"].requireMention must be true or false, '
            "but it is text. Write it as requireMention: true.",
        ),
        (
            telegram("groups: {friends: {}}"),
            '1:33: channels.telegram.groups.friends is no chat id, and not "*". '
            'Write a group\'s id as "-1001234567890".',
        ),
        (
            telegram("allowFrom: [5, -1]"),
            '1:39: channels.telegram.allowFrom[1] must be a user\'s id, "@name" or "*". '
            'Write it as 12345, or as "@ada".',
        ),
        (
            telegram("apiRoot: 'api.telegram.org'"),
            "1:33: channels.telegram.apiRoot is no web address. "
            'Write it as "http://host:port/path".',
        ),
        (
            telegram("mediaMaxMb: 0"),
            "1:36: channels.telegram.mediaMaxMb must be a number above 0, at most 2000. "
            "Write it as mediaMaxMb: 20.",
        ),
        (
            "{models: {providers: {vllm: {apiKey: 5}}}}",
            '1:38: models.providers.vllm.apiKey must be text, or { file: "path" }, '
            'but it is a number. Write it as apiKey: "${VLLM_API_KEY}".',
        ),
        (
            "{models: {providers: {vllm: {baseUrl: 'vllm:8000'}}}}",
            "1:39: models.providers.vllm.baseUrl is no web address. "
            'Write it as "http://host:port/path".',
        ),
        (
            "{models: {providers: {vllm: {models: [{}]}}}}",
            '1:39: models.providers.vllm.models[0].id is missing. Add id: "Qwen2.5-7B-Instruct".',
        ),
        (
            "{models: {providers: {'a/b': {}}}}",
            '1:23: models.providers["a/b"] can\'t name a provider. '
            "Use letters, digits, dots, - and _.",
        ),
        (
            "{plugins: 'chat'}",
            "1:11: plugins must be a list [ … ], but it is text. "
            'Write it as plugins: ["translate", {"name": "chat", "options": {}}].',
        ),
        (
            "{plugins: [5]}",
            "1:12: plugins[0] must be text, or an object { … }, but it is a number. "
            "Write text, or an object { … }.",
        ),
        (
            "{plugins: [{options: {}}]}",
            '1:12: plugins[0].name is missing. Add name: "chat".',
        ),
        (
            "{agents: {defaults: {timeout: {request: 2000, total: 1000}}}}",
            "1:31: agents.defaults.timeout has a request longer than total. "
            "Raise total, or lower request.",
        ),
        (
            "{agents: {defaults: {model: 'qwen'}}}",
            '1:29: agents.defaults.model must look like "provider/model". '
            'Write it as "vllm/Qwen2.5-7B-Instruct".',
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_it_must_be(text: str, line: str) -> None:
    assert problems(text) == [f"clawdbot.json:{line}"]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    lines = problems(
        """{
  plugins: ["chat", "chat"],
  gateway: { prot: 1, port: "x" },
  agents: { defaults: { model: "nobody/x" } },
  channels: { telegram: { botToken: { file: "missing" }, owner: "${OWNER}" } },
}""",
        {"OWNER": "me"},
    )
    assert [line.split(": ")[0].removeprefix("clawdbot.json:") for line in lines] == [
        "2:21",
        "3:14",
        "3:29",
        "4:32",
        "5:37",
        "5:65",
    ]
    assert "but its variable gives text" in lines[-1]


def test_the_error_stands_for_its_first_problem() -> None:
    with pytest.raises(ConfigValueError) as caught:
        parse("{plugins: 1, agents: 2}", env={}, file=Path("clawdbot.json"))
    assert caught.value.where == "clawdbot.json:1:11"
    assert "plugins" in caught.value.what


def test_no_error_tells_a_value_that_may_be_secret() -> None:
    secret = "hunter2secret"
    for text in (
        f'{{channels: {{telegram: {{botToken: "{secret} x"}}}}}}',
        f'{{channels: {{telegram: {{botToken: ["{secret}"]}}}}}}',
        f'{{channels: {{telegram: {{apiRoot: "https://h/bot1:{secret}"}}}}}}',
        f'{{channels: {{telegram: {{webhook: {{url: "https://a", secret: "{secret}!"}}}}}}}}',
        f'{{models: {{providers: {{vllm: {{baseUrl: "u:{secret}@h"}}}}}}}}',
        f'{{gateway: {{auth: {{token: {{file: "missing", x: "{secret}"}}}}}}}}',
    ):
        with pytest.raises(ConfigProblems) as caught:
            parse(text, env={})
        error = caught.value
        assert secret not in f"{error!s} {error!r} {error.__cause__!r} {error.__context__!r}"
