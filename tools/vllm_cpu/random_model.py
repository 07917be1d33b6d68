"""A tiny Llama with random weights, so that a real vLLM has something to serve.

Usage: python tools/vllm_cpu/random_model.py [FOLDER]

Makes the model unless it is there, and prints its folder; by default one in the
user's cache. The weights come from a seed: the same text for the same question,
every time. Greedy answers are printable ASCII and never end by themselves. Runs in
the Python of ``.venv/vllm``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import platformdirs

NAME: Final = "vllm-random-llama-1"
"""Another number for another model, so that an old one in somebody's cache is not taken."""
CONTEXT: Final = 2048
HIDDEN: Final = 256
LAYERS: Final = 4
HEAD: Final = 64
SEED: Final = 20
SPREAD: Final = 0.3
"""Wide enough that greedy answers differ with the question."""
SPECIAL: Final = ("<pad>", "<s>", "</s>")
ROLES: Final = ("system", "developer", "user", "assistant", "tool")
CORPUS: Final = (
    "The harbour is closed tonight because of the storm, says the port authority.",
    "Please translate this message into French and answer in one short sentence.",
    "What does the weather look like in the mountains tomorrow morning?",
)
TEMPLATE: Final = (
    "{{ bos_token }}"
    "{% for turn in messages %}"
    "<|{{ turn['role'] }}|>{{ turn['content'] or '' }}{{ eos_token }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def default_folder() -> Path:
    """Where the model is kept: under $CLAWDBOT_CACHE, else the user's cache folder."""
    given = os.environ.get("CLAWDBOT_CACHE")
    root = Path(given).expanduser() if given else platformdirs.user_cache_path("clawdbot")
    return root / "models" / NAME


def ensure(folder: Path) -> Path:
    """Make the model in ``folder`` unless it is there; a half-made one is never seen."""
    if (folder / "model.safetensors").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        _make(Path(draft) / NAME)
        shutil.rmtree(folder, ignore_errors=True)
        (Path(draft) / NAME).rename(folder)
    return folder


def _make(folder: Path) -> None:
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    _weights(tokenizer).save_pretrained(folder)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = bytes_of_words
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=[*SPECIAL, *(f"<|{role}|>" for role in ROLES)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator(CORPUS, trainer)
    pad, begin, end = SPECIAL
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token=pad,
        bos_token=begin,
        eos_token=end,
        model_max_length=CONTEXT,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _weights(tokenizer: Any) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=3 * HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HIDDEN // HEAD,
        num_key_value_heads=HIDDEN // HEAD // 2,
        head_dim=HEAD,
        max_position_embeddings=CONTEXT,
        initializer_range=SPREAD,
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    hidden = [number for token, number in tokenizer.get_vocab().items() if not _printable(token)]
    with torch.no_grad():
        model.lm_head.weight[hidden] = 0  # a logit of 0 never is the largest of hundreds
    return model


def _printable(token: str) -> bool:
    """Whether a token of the byte-level alphabet stands for printable ASCII ("Ġ" is a space)."""
    text = token.replace("Ġ", " ")
    return text.isascii() and text.isprintable() and not token.startswith("<")


if __name__ == "__main__":
    print(ensure(Path(sys.argv[1]) if sys.argv[1:] else default_folder()))
