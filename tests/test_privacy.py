"""No words of users, no secrets: in logs, in tracebacks, in any repr."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import io
import logging
import pkgutil
import sqlite3
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from pydantic import BaseModel, ValidationError

import clawdcore.config
from clawdcore.backend import Chunk, Request, Turn, Usage
from clawdcore.broker import Deliver, Draft, Fetched, Send, Target
from clawdcore.messages import Attachment, Chat, Message, Reply, Sender
from clawdcore.privacy import (
    Redactor,
    describe,
    describe_failure,
    describe_uncaught,
    set_up_logging,
    trace,
)

ROOT = Path(__file__).parents[1]
CANARY = "the canary sings at dawn"
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


class Log:
    """What was written to standard error."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self._said = ""

    def getvalue(self) -> str:
        self._said += self._captured.readouterr().err
        return self._said


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """What ``set_up_logging`` writes; logging and the hooks are put back afterwards."""
    hooks = ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"))
    for module, name in (*hooks, (warnings, "showwarning")):
        monkeypatch.setattr(module, name, getattr(module, name))
    root = logging.getLogger()
    before = root.handlers[:], root.level
    levels = {
        name: logger.level
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    # basicConfig(force=True) closes the handlers that it finds; pytest's own must stay open.
    root.handlers[:] = []
    yield Log(capsys)
    root.handlers[:], root.level = before
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger):
            logger.setLevel(levels.get(name, logging.NOTSET))


@pytest.mark.parametrize(
    "line",
    [
        f"GET https://api.telegram.org/bot{TOKEN}/sendMessage",
        f"GET https://api.telegram.org/bot{TOKEN.replace(':', '%3A')}/sendMessage",
        f"token={TOKEN}",
        TOKEN,
    ],
)
def test_tokens_are_hidden_wherever_they_stand(log: Log, line: str) -> None:
    set_up_logging(debug=False)
    logging.getLogger("clawdcore.x").warning("%s", line)
    assert "***" in log.getvalue()
    assert "AAHdq" not in log.getvalue()


def test_configured_secrets_are_hidden_exactly_and_in_urls(log: Log) -> None:
    set_up_logging(debug=False, secrets=["hunter2", "hunter2/long+er", "", "ab"])
    logging.getLogger("clawdcore.x").warning("hunter2, hunter2/long+er, hunter2%2Flong%2Ber, ab")
    assert log.getvalue().endswith("clawdcore.x: ***, ***, ***, ab\n")


def test_a_library_s_arguments_and_finished_sentences_are_not_shown(log: Log) -> None:
    set_up_logging(debug=True)
    library = logging.getLogger("telegram.request.BaseRequest")
    library.error('Can not load invalid JSON data: "%s"', CANARY)
    library.error(f"failed on {CANARY}")
    said = log.getvalue()
    assert CANARY not in said
    assert 'Can not load invalid JSON data: "%s" (test_privacy.py:' in said
    assert said.count("telegram.request.BaseRequest") == 2


def test_our_own_words_are_shown(log: Log) -> None:
    set_up_logging(debug=False)
    logging.getLogger("clawdbot_weather").warning("update %d", 7)
    assert log.getvalue().endswith("WARNING clawdbot_weather: update 7\n")


@pytest.mark.parametrize("debug", [False, True])
def test_exceptions_without_texts_even_where_another_handler_formatted_them(
    log: Log, debug: bool
) -> None:
    set_up_logging(debug=debug)
    other = logging.StreamHandler(io.StringIO())
    logging.getLogger().handlers.insert(0, other)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("clawdcore.x").exception("boom")
    said = log.getvalue()
    assert CANARY not in said
    assert "ValueError" in said
    assert ("Traceback" in said) is debug


def test_a_record_that_can_t_be_formatted_is_not_quoted(log: Log) -> None:
    set_up_logging(debug=False)
    logging.getLogger("clawdcore.x").warning("%d", CANARY)
    assert CANARY not in log.getvalue()
    assert "can't be logged: TypeError" in log.getvalue()


def raised() -> ValueError:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error
    except ValueError as error:
        return error


def test_trace_has_frames_causes_and_groups_but_no_texts() -> None:
    text = trace(ExceptionGroup(CANARY, [raised()]))
    assert CANARY not in text
    for part in ("ExceptionGroup", "ValueError", "KeyError", "in raised", "which led to"):
        assert part in text
    assert CANARY in trace(raised(), told=(ValueError,))
    assert describe(raised()).startswith("ValueError at raised (test_privacy.py:")


def test_what_a_task_leaves_behind_is_described(log: Log) -> None:
    set_up_logging(debug=True)

    async def fails(words: str) -> None:
        raise ValueError(words)

    def callback(words: str) -> None:
        raise ValueError(words)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(describe_failure)
        task = asyncio.create_task(fails(CANARY))
        await asyncio.wait([task])
        del task
        gc.collect()
        loop.call_soon(callback, CANARY)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(story())
    said = log.getvalue()
    assert CANARY not in said
    assert said.count(" ERROR clawdcore.privacy: nobody caught") == 2
    assert "in fails" in said


class Finalized:
    def __del__(self) -> None:
        raise ValueError(CANARY)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_thread_a_finalizer_or_the_program_leaves_behind_is_described(
    log: Log,
) -> None:
    set_up_logging(debug=True)
    describe_uncaught()

    def fails() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    Finalized()
    gc.collect()
    sys.excepthook(ValueError, raised(), None)
    said = log.getvalue()
    assert CANARY not in said
    assert "a thread died: ValueError at fails" in said
    assert "a finalizer failed: ValueError at __del__" in said
    assert "ERROR clawdcore.privacy: nobody caught: ValueError at raised" in said


SENDER = Sender(2, CANARY, CANARY, CANARY)
CHAT = Chat(1, "private", CANARY)
ATTACHMENT = Attachment("photo", CANARY, CANARY, CANARY)
MESSAGE = Message(
    id=1,
    update_id=77,
    chat=CHAT,
    sender=SENDER,
    body=CANARY,
    command=CANARY,
    args=CANARY,
    attachments=(ATTACHMENT,),
    album=CANARY,
)
REPLY = Reply(text=CANARY)
TARGET = Target(chat_id=77)
CONTENT = [
    SENDER,
    CHAT,
    ATTACHMENT,
    MESSAGE,
    msgspec.structs.replace(MESSAGE, reply_to=MESSAGE),
    REPLY,
    Turn("user", CANARY),
    Request(turns=(Turn("user", CANARY),), stop=(CANARY,), key=CANARY),
    Chunk(CANARY, "stop", Usage(1, 2)),
    Deliver(77, CANARY.encode()),
    Draft(77, TARGET, CANARY),
    Send(77, TARGET, REPLY),
    Fetched(77, CANARY.encode(), CANARY),
]


@dataclass
class Holder:
    held: Any


def ids(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("value", CONTENT, ids=ids)
def test_no_repr_shows_content(value: Any) -> None:
    loop = asyncio.new_event_loop()
    handle = loop.call_soon(print, value)
    future = loop.create_future()
    future.set_result([value])
    shown = [repr(value), str(value), repr(Holder([value])), repr(handle), repr(future)]
    shown += [repr(ValueError(value)), str(list(value.__rich_repr__()))]
    loop.close()
    for text in shown:
        assert CANARY not in text
        assert "canary" not in text
    assert type(value).__name__ in repr(value)


def test_a_repr_tells_ids_and_lengths() -> None:
    assert repr(Deliver(77, b"xyz")) == "Deliver(id=77, body=<3 bytes>, attempt=1)"
    assert "update_id=77" in repr(MESSAGE)
    assert f"body=<{len(CANARY)} characters>" in repr(MESSAGE)
    assert "kind='photo'" in repr(ATTACHMENT)


def test_a_message_in_a_log_line_shows_nothing_of_it(log: Log) -> None:
    set_up_logging(debug=True)
    logging.getLogger("clawdbot_x").warning("odd: %r", MESSAGE)
    assert "update_id=77" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_the_formatter_leaves_the_record_as_it_was() -> None:
    record = logging.LogRecord("lib", logging.ERROR, "lib.py", 3, "see %s", (CANARY,), None)
    assert CANARY not in Redactor().format(record)
    assert record.args == (CANARY,)


@pytest.mark.parametrize("name", ["urllib3", "openai", "PIL", "aiosqlite", "some.library"])
def test_of_a_library_only_warnings_count_whatever_level_it_chose(log: Log, name: str) -> None:
    set_up_logging(debug=True)
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).info("GET %s", CANARY)
    assert log.getvalue() == ""
    logging.getLogger(name).warning("GET %s", f"https://example.org/?q={CANARY}")
    assert CANARY not in log.getvalue()
    assert f"WARNING {name}: GET %s (test_privacy.py:" in log.getvalue()


def test_a_warning_is_logged_by_type_and_place(log: Log) -> None:
    set_up_logging(debug=False)
    with warnings.catch_warnings():
        describe_uncaught()
        warnings.simplefilter("always")
        warnings.warn(CANARY, RuntimeWarning, stacklevel=1)
    assert CANARY not in log.getvalue()
    assert "WARNING clawdcore.privacy: RuntimeWarning at test_privacy.py:" in log.getvalue()


def test_what_asyncio_s_debug_mode_says_of_slow_callbacks_quotes_nobody(log: Log) -> None:
    set_up_logging(debug=True)

    async def slow(words: str) -> str:
        asyncio.get_running_loop().slow_callback_duration = 0.0
        return words

    asyncio.run(slow(CANARY), debug=True)
    assert "Executing %s" in log.getvalue()
    assert CANARY not in log.getvalue()


def bad_enum() -> None:
    msgspec.json.decode(f'"{CANARY}"'.encode(), type=Literal["a", "b"])


def bad_key() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"SELECT '{CANARY}' FROM \"{CANARY}\"")


def bad_model() -> None:
    class Model(BaseModel):
        number: int

    Model(number=CANARY)  # type: ignore[arg-type]


@pytest.mark.parametrize("fails", [bad_enum, bad_key, bad_model])
def test_errors_that_quote_what_they_were_given_are_described_without(
    log: Log, fails: Callable[[], None]
) -> None:
    set_up_logging(debug=True)
    with pytest.raises((msgspec.ValidationError, sqlite3.Error, ValidationError)) as caught:
        fails()
    assert CANARY in str(caught.value)
    try:
        fails()
    except Exception as error:
        logging.getLogger("clawdcore.x").exception("failed")
        assert type(error).__name__ in log.getvalue()
    assert CANARY not in log.getvalue()


def models(of: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for model in of.__subclasses__():
        yield model
        yield from models(model)


def test_no_model_of_ours_quotes_what_it_refuses() -> None:
    for found in pkgutil.walk_packages(clawdcore.config.__path__, "clawdcore.config."):
        importlib.import_module(found.name)
    ours = {"clawdcore"}
    for path in ROOT.glob("*/*/clawdbot_*/*options.py"):
        ours.add(path.parent.name)
        if importlib.util.find_spec(path.parent.name) is not None:
            importlib.import_module(f"{path.parent.name}.{path.stem}")
    found_models = [model for model in models() if model.__module__.partition(".")[0] in ours]
    assert len(found_models) > 10
    for model in found_models:
        assert model.model_config.get("hide_input_in_errors") is True, model.__qualname__
