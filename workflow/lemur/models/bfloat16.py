"""Whether a device multiplies bfloat16 in hardware."""

import platform

import torch


def instructions() -> bool:
    """Whether this CPU has instructions for it: AVX512-BF16, AMX or ARM's BF16."""
    if platform.machine() in ("aarch64", "arm64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def native(device: torch.device) -> bool:
    """True for a GPU and for CPUs with instructions for bfloat16.

    Elsewhere PyTorch computes it one number at a time: with AVX2 alone at a sixth of float32's rate,
    and not more exactly.
    """
    return device.type != "cpu" or instructions()
