"""The engines that run a training step: plain PyTorch on one device, or DeepSpeed over many ranks."""
