"""Models of others, small and random, run through `trace` and `find_leaks`: `make survey`.

It installs their packages beside the environment, without what they depend on, runs every model
and writes docs/shared/others.json. `newest` installs the newest
releases instead of those named here.
"""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import layers

from keras_masking import Leak, LeakReport, Trace, find_leaks, trace
from keras_masking.rendering.files import write
from sitekit import ROOT
from sitekit.measured.beside import beside

RECORD = ROOT / "docs/shared/others.json"

# Installed without their dependencies: these are all that the models need beside Keras.
PACKAGES = (
    "keras-hub==0.32.0",
    "regex==2026.11.19",
    "tokenizers==0.23.3",
    "keras-tcn==3.5.7",
    "mingru-keras==0.1.3",
    "ncps==1.0.1",
)

# The arguments that a class of keras-hub demands, by their names; it is given those it has.
SIZES = {
    "vocabulary_size": 20,
    "vocab_size": 20,
    "num_layers": 2,
    "num_layers_enc": 2,
    "num_layers_dec": 2,
    "num_heads": 2,
    "num_attention_heads": 2,
    "num_query_heads": 2,
    "num_key_value_heads": 1,
    "num_experts": 2,
    "top_k": 1,
    "hidden_dim": 16,
    "hidden_size": 16,
    "embedding_dim": 16,
    "intermediate_dim": 16,
    "moe_intermediate_dim": 16,
    "shared_expert_intermediate_dim": 16,
    "shared_expert_intermediate_size": 16,
    "head_dim": 8,
    "head_size": 8,
    "layer_norm_epsilon": 1e-5,
}
LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 4,
    "linear_value_head_dim": 4,
}
T5_GEMMA = {
    f"{part}_{name}": value
    for part in ("encoder", "decoder")
    for name, value in {
        "hidden_dim": 16,
        "intermediate_dim": 16,
        "num_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "layer_types": ["sliding_attention", "full_attention"],
    }.items()
} | {"sliding_window": 16, "cross_attention_hidden_size": 16}

# Every backbone of keras-hub that reads text alone, with what it needs beside the sizes above.
BACKBONES: dict[str, dict] = {
    "AlbertBackbone": {},
    "BartBackbone": {},
    "BertBackbone": {},
    "BloomBackbone": {},
    "CLIPTextEncoder": {},
    "DebertaV3Backbone": {},
    "DistilBertBackbone": {},
    "ESMBackbone": {},
    "EdRecBackbone": {},
    "ElectraBackbone": {},
    "FNetBackbone": {},
    "FalconBackbone": {},
    "GPT2Backbone": {},
    "GPTNeoXBackbone": {},
    "Gemma3Backbone": {"image_size": None},
    "Gemma3nBackbone": {
        "text_vocab_size": 20,
        "text_hidden_size": 16,
        "num_hidden_layers": 2,
        "pad_token_id": 0,
        "intermediate_size": [16, 16],
        "hidden_activation": "gelu_approximate",
        "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": 16,
        "rope_theta": 1e4,
        "max_position_embeddings": 64,
        "vocab_size_per_layer_input": 20,
        "hidden_size_per_layer_input": 2,
        "altup_num_inputs": 2,
        "laurel_rank": 1,
    },
    "Gemma4Backbone": {"image_size": None},
    "GemmaBackbone": {},
    "GptOssBackbone": {},
    "Llama3Backbone": {},
    "LlamaBackbone": {},
    "MetaCLIP2TextEncoder": {},
    "MistralBackbone": {},
    "MixtralBackbone": {},
    "OPTBackbone": {},
    "Phi3Backbone": {},
    "Qwen3Backbone": {},
    "Qwen3MoeBackbone": {"top_k": 1},
    "Qwen3_5Backbone": LINEAR,
    "Qwen3_5MoeBackbone": LINEAR,
    "QwenBackbone": {},
    "QwenMoeBackbone": {"top_k": 1},
    "RWKV7Backbone": dict.fromkeys(("gate_lora", "mv_lora", "aaa_lora", "decay_lora"), 8),
    "RobertaBackbone": {},
    "RoformerV2Backbone": {},
    "SigLIPTextEncoder": {"max_sequence_length": 12},  # it takes no other length
    "SmolLM3Backbone": {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "rope_layer_enabled_list": [True, True],
        "layer_types": ["attention", "attention"],
        "mlp_bias": False,
        "max_position_embeddings": 64,
        "rope_theta": 1e4,
        "partial_rotary_factor": 1.0,
    },
    "T5Backbone": {},
    "T5Gemma2Backbone": T5_GEMMA,
    "T5GemmaBackbone": T5_GEMMA,
    "XLMRobertaBackbone": {},
    "XLNetBackbone": {},
}

# Those that look or listen as well, and one that takes the hidden states of another model.
LEFT_OUT = {
    "BLIP2Backbone",
    "CLIPBackbone",
    "FluxBackbone",
    "MetaCLIP2Backbone",
    "MoonshineBackbone",
    "PARSeqBackbone",
    "PaliGemmaBackbone",
    "SAM3PromptableConceptBackbone",
    "SigLIPBackbone",
    "StableDiffusion3Backbone",
    "VideoPrismBackbone",
    "WhisperBackbone",
    "Gemma4AssistantCausalLM",
}
TASKS = ("TextClassifier", "TextEmbedder", "MaskedLM", "CausalLM")  # Seq2SeqLM is a CausalLM
LAYER = "Embedding"

# How many steps there are, and how many of them are valid in each sample. Those of the decoder
# differ, so that no mask fits by chance.
STEPS, LENGTHS = 12, np.array([12, 7, 3])
DECODER_STEPS, DECODER_LENGTHS = 9, np.array([5, 9, 2])


class SurveyError(Exception):
    """The packages hold other models than this file."""


def models() -> Iterator[tuple[str, str, Callable[[], keras.Model]]]:
    """Of every model: what it stands on, its name, and a function that builds it.

    Raises:
        SurveyError: keras-hub has a model that this file lacks, or lacks one of this file.
    """
    found = {c.__name__: c for c in classes("Backbone") if "token_ids" in inspect.getsource(c)}
    if found.keys() != BACKBONES.keys():
        more, less = sorted(found.keys() - BACKBONES), sorted(BACKBONES.keys() - found)
        raise SurveyError(f"keras-hub has {more}, which this file lacks, and has no {less}.")
    for name, cls in found.items():
        yield name, name, lambda cls=cls: backbone(cls)
        for head in sorted({h for kind in TASKS for h in classes(kind)}, key=lambda h: h.__name__):
            if head.backbone_cls is cls:
                yield name, head.__name__, lambda head=head: task(head)
    yield from ((LAYER, name, build) for name, build in layers_of_others().items())


def classes(base: str) -> Iterator[type]:
    """Those of keras-hub, each under its own name alone."""
    import keras_hub

    for name, cls in sorted(vars(keras_hub.models).items()):
        of_kind = inspect.isclass(cls) and issubclass(cls, getattr(keras_hub.models, base))
        if of_kind and cls.__name__ == name not in LEFT_OUT | {base}:
            yield cls


def backbone(cls: type) -> keras.Model:
    parameters = inspect.signature(cls).parameters.values()
    demanded = {p.name for p in parameters if p.default is p.empty}
    sizes = {name: size for name, size in SIZES.items() if name in demanded}
    return cls(**sizes | BACKBONES[cls.__name__])


def task(cls: type) -> keras.Model:
    needs_classes = "num_classes" in inspect.signature(cls).parameters
    return cls(
        backbone=backbone(cls.backbone_cls),
        preprocessor=None,
        **{"num_classes": 2} if needs_classes else {},
    )


def layers_of_others() -> dict[str, Callable[[], keras.Model]]:
    from mingru_keras import MinGRU
    from ncps.keras import LTC, CfC
    from tcn import TCN

    def behind_embedding(*stack: layers.Layer) -> keras.Model:
        inputs = keras.Input((None,), dtype="int32", name="token_ids")
        x = layers.Embedding(20, 16, mask_zero=True)(inputs)
        for layer in stack:
            x = layer(x)
        return keras.Model(inputs, x)

    pooling = layers.GlobalAveragePooling1D
    return {
        "tcn.TCN": lambda: behind_embedding(TCN(8, return_sequences=True), pooling()),
        "mingru_keras.MinGRU": lambda: behind_embedding(MinGRU(8), pooling()),
        "ncps.keras.CfC": lambda: behind_embedding(CfC(8)),
        "ncps.keras.LTC": lambda: behind_embedding(LTC(8)),
    }


def randomized(model: keras.Model) -> keras.Model:
    """All weights are random, also those that start as 0 and would hide what they multiply."""
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(variable + random.normal(0, 0.3, variable.shape).astype("float32"))
    return model


def batch(model: keras.Model) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """By the names of the inputs: three samples of unequal length, padded on the right with 0,
    and which of their steps are valid."""
    random = np.random.default_rng(0)
    values, valid = {}, {}
    for name in (x.name for x in model.inputs):
        if name == "mask_positions":  # of the tokens to predict
            values[name] = np.array([[1, 2], [0, 3], [1, 2]])
            continue
        decoder = name.startswith("decoder")
        steps, lengths = (DECODER_STEPS, DECODER_LENGTHS) if decoder else (STEPS, LENGTHS)
        mask = valid[name] = np.arange(steps) < lengths[:, None]
        if name.endswith("token_ids"):
            values[name] = random.integers(2, 20, mask.shape) * mask
        elif name == "position_ids":
            values[name] = np.arange(steps) * mask
        elif name.endswith("padding_mask"):
            values[name] = mask.astype("int32")
        else:
            values[name] = np.zeros(mask.shape, "int32")
    return values, valid


def examine(model: keras.Model) -> dict:
    """What the tools say of one model, as a row of the record."""
    values, valid = batch(model)
    traced = trace(model, values)
    told = told_by(values, traced)
    # where no mask tells the padding, the probes have to be told, and the model is not
    padding = {name: ~valid[name] if name in valid else None for name in values}
    report = find_leaks(model, values, padding=None if told in ("input", "mask") else padding)
    return {
        "calls": len(traced),
        "told": told,
        "probes": [probe.name for probe in report.probes if probe.ran],
        "leaks": [p.name for p in report.probes if any(x.probe == p.name for x in report.leaks)],
        "first": place(report, report.leaks[0]) if report.leaks else None,
    }


def told_by(values: dict[str, np.ndarray], traced: Trace) -> str:
    """How a model learns which steps are padding: a key of the texts."""
    if any(name.endswith("mask") for name in values):
        return "input"
    if any("creates" in call.events for call in traced):
        return "mask"
    return "index" if any(call.explicit for call in traced) else "nothing"


def place(report: LeakReport, leak: Leak) -> list[str]:
    """Whether in a call, before it or at its end, and its path."""
    at = report.trace.model if leak.call is None else report.trace[leak.call].path
    return [leak.place, at]


def survey() -> dict:
    rows = []
    for base, name, build in models():
        keras.utils.clear_session()  # which numbers the layers from the start again
        print(name, flush=True)
        rows.append({"on": base, "name": name} | examine(randomized(build())))
    return {"keras": keras.__version__, "packages": PACKAGES, "models": rows}


def record() -> dict:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def main(newest: bool = False) -> None:
    packages = [p.partition("==")[0] for p in PACKAGES] if newest else PACKAGES
    with beside(*packages) as folder:
        settings = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "sitekit.measured.others", "here"],
            env=os.environ | settings | {"PYTHONPATH": str(folder), "KERAS_BACKEND": "tensorflow"},
            check=True,
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["here"]:
        write(RECORD, json.dumps(survey(), indent=1) + "\n")
    else:
        main(newest=sys.argv[1:] == ["newest"])
