from __future__ import annotations

import re

import pytest

from clawdbot_llamacpp.catalogue import CATALOGUE, HubFile, Model, PackagedFile, Source, find
from clawdbot_llamacpp.options import DEFAULT_MODEL
from clawdcore import ModelNotFound

SOURCES = [source for model in CATALOGUE.values() for source in model.sources]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.filename)
def test_every_source_is_pinned(source: Source) -> None:
    assert re.fullmatch("[0-9a-f]{64}", source.sha256)
    if isinstance(source, HubFile):
        assert re.fullmatch("[0-9a-f]{40}", source.revision)
        return
    assert isinstance(source, PackagedFile)
    assert all(re.fullmatch("[0-9a-f]{64}", wheel) for wheel in source.wheels)
    assert len(set(source.wheels)) == len(source.wheels)
    sizes = [source.piece_size(index) for index in range(len(source.wheels))]
    assert sum(sizes) == source.size and min(sizes) > 0


def test_no_two_sources_share_a_file() -> None:
    names = [source.filename for source in SOURCES]
    assert len(set(names)) == len(names)


def test_the_default_is_in_it_and_a_smaller_one_exists() -> None:
    default = find(DEFAULT_MODEL)
    assert isinstance(default, Model)
    assert min(model.needs for model in CATALOGUE.values()) < default.needs


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(ModelNotFound, match=r"'gpt'.*qwen2\.5-1\.5b-instruct or .*\.gguf"):
        find("gpt")
