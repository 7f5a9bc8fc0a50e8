"""What runs a checkpoint's weights: ONNX Runtime where there is a .onnx file, torch for .safetensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ClassifierError

Logits = NDArray[np.float32]
Inputs = dict[str, NDArray[np.int64]]
Run = Callable[[Inputs], tuple[Logits, Logits | None]]  # logits, and what each token added to them


def brief(error: BaseException) -> str:
    """Kind only: a library's message may quote the text that it choked on."""
    return type(error).__name__


def runtime(folder: Path, threads: int) -> tuple[Path, Run]:
    """The weights file and how to run it. Raises ClassifierError."""
    found = sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    if found:
        chosen = next((path for path in found if path.name == "model.onnx"), found[0])
        if len(found) > 1 and chosen.name != "model.onnx":
            raise ClassifierError(f"{folder}: several .onnx files; name the one to use model.onnx")
        return chosen, _onnx(chosen, threads)
    weights = sorted(folder.glob("*.safetensors"))
    if weights:
        return weights[0], _torch(folder, threads)
    raise ClassifierError(
        f"{folder}: no .onnx file and no .safetensors weights. Export the model to ONNX."
    )


def _onnx(path: Path, threads: int) -> Run:
    import onnxruntime  # noqa: PLC0415 - half a second of start-up

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own exceptions share no base
        raise ClassifierError(
            f"{path}: no valid ONNX model ({brief(error)}). Export it again."
        ) from error
    wanted = {wants.name for wants in session.get_inputs()}
    outputs = [output.name for output in session.get_outputs()]
    answers = ["logits" if "logits" in outputs else outputs[0], *({"parts"} & set(outputs))]

    def run(inputs: Inputs) -> tuple[Logits, Logits | None]:
        fed = {name: value for name, value in inputs.items() if name in wanted}
        logits, *parts = session.run(answers, fed)
        return np.asarray(logits, dtype=np.float32), parts[0] if parts else None

    return run


def _torch(folder: Path, threads: int) -> Run:
    try:
        import torch  # noqa: PLC0415 - an optional extra
        from transformers import AutoModelForSequenceClassification  # noqa: PLC0415
    except ImportError as error:
        raise ClassifierError(
            f"{folder} holds .safetensors weights only, and torch isn't installed. Install it "
            "(pip install 'trust-monitor[torch]'), or export the model to ONNX into that directory."
        ) from error
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        ).eval()
    except (OSError, ValueError, RuntimeError) as error:
        raise ClassifierError(f"{folder}: the weights can't be loaded ({brief(error)}).") from error
    torch.set_num_threads(threads)
    known = set(model.forward.__code__.co_varnames)

    def run(inputs: Inputs) -> tuple[Logits, Logits | None]:
        fed = {name: torch.from_numpy(value) for name, value in inputs.items() if name in known}
        with torch.inference_mode():
            return np.asarray(model(**fed).logits.float().numpy(), dtype=np.float32), None

    return run
