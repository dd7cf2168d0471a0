"""ZeRO over many ranks through DeepSpeed, checked to be really that.

DeepSpeed shards and reduces; the optimiser is the same AdamW as in the torch engine, and state
leaves and enters as each rank's slices of flattened parameters, by name, so that world size and
stage may change between restarts.
"""

import math
import os
import socket
import warnings
from datetime import timedelta

import torch
from transformers import PreTrainedModel

from lemur.core.errors import UserError
from lemur.models.outlines import numbers
from lemur.training import optimizer
from lemur.training.batches import Batch
from lemur.training.engines.base import NotFinite, State
from lemur.training.model import packed_loss
from lemur.training.settings import Spec
from lemur.training.stored import PARAMETERS, Slice, Stored


def _surroundings(spec: Spec) -> None:
    """Ranks as a launcher set them, or one process on its own; a mismatch is the user's."""
    if spec.device == "cpu":
        os.environ["DS_ACCELERATOR"] = "cpu"  # read when deepspeed is imported
    if "RANK" not in os.environ and spec.world == 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        alone = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "MASTER_PORT": port}
        os.environ.update({name: str(value) for name, value in alone.items()})
        os.environ["MASTER_ADDR"] = "127.0.0.1"
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world != spec.world:
        raise UserError(
            f"{spec.key('parallel')}: nodes x processes_per_node = {spec.world}, but {world} rank(s) "
            f"were started: python -m lemur.launch --processes {spec.world} ... starts them"
        )


def _config(spec: Spec) -> dict:
    accumulation = spec.sequences // (spec.micro * spec.world)
    zero: dict = {"stage": spec.zero_stage}
    if spec.offload != "none":
        zero["offload_optimizer"] = {"device": "cpu"}
    if spec.offload == "parameters":
        zero["offload_param"] = {"device": "cpu"}
    return {
        "train_micro_batch_size_per_gpu": spec.micro,
        "gradient_accumulation_steps": accumulation,
        "train_batch_size": spec.sequences,
        "gradient_clipping": spec.clip,
        "bf16": {"enabled": spec.precision == "bf16"},
        "data_types": {"grad_accum_dtype": "fp32"},
        "zero_optimization": zero,
        "zero_force_ds_cpu_optimizer": False,
        "steps_per_print": 2**31,
        "wall_clock_breakdown": False,
    }


class DeepSpeedEngine:
    """One rank of a ZeRO stage 1, 2 or 3 run; gloo on CPUs, NCCL on GPUs."""

    name = "deepspeed"

    def __init__(self, model: PreTrainedModel, spec: Spec):
        _surroundings(spec)
        warnings.filterwarnings("ignore", category=FutureWarning, module="torch.distributed")
        import deepspeed

        deepspeed.utils.logger.setLevel("WARNING")
        # An operation for inference that it would compile, for a minute, wherever ranks are CPUs.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        self.spec = spec
        self.deepspeed = deepspeed
        local = int(os.environ["LOCAL_RANK"])
        device = torch.device("cpu" if spec.device == "cpu" else f"cuda:{local}")
        if device.type == "cuda":
            torch.cuda.set_device(device)
        deepspeed.init_distributed(
            "gloo" if spec.device == "cpu" else "nccl",
            verbose=False,
            timeout=timedelta(seconds=spec.timeout_seconds),
        )
        names = optimizer.embedding_names(model)
        named = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.shapes = {name: p.shape for name, p in named.items()}
        if spec.zero_stage == 3:
            self._shard(model, device)
        model.to(device).train()
        if spec.gradient_checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        module = packed_loss(model, spec)
        adam = optimizer.build(named, names, spec, self.shapes)
        self.engine, self.zero, *_ = deepspeed.initialize(
            model=module, optimizer=adam, config=_config(spec)
        )
        self._assert_real()
        prefix = "causal."
        self.parameters = {
            name.removeprefix(prefix): p
            for name, p in self.engine.module.named_parameters()
            if p.requires_grad
        }
        self.rank = torch.distributed.get_rank()
        self.world = torch.distributed.get_world_size()
        self.device = device
        self.updates = 0
        self._fill_moments()

    def _shard(self, model: PreTrainedModel, device: torch.device) -> None:
        """Rank 0's weights, one at a time, to the devices, each of which keeps its part: the whole
        model, which neither a device nor a host might hold, is never on one.
        """
        dtype = torch.bfloat16 if self.spec.precision == "bf16" else torch.float32
        for module in reversed(list(model.modules())):  # the innermost first
            for p in module.parameters(recurse=False):
                if not hasattr(p, "ds_id"):  # an output layer tied to the embedding is done already
                    p.data = numbers(p).to(device, dtype).contiguous()
            if any(True for _ in module.parameters(recurse=False)):
                self.deepspeed.zero.Init(module=module, config_dict_or_path=_config(self.spec))

    def _assert_real(self) -> None:
        """Wrappers have been seen to fall back to plain data parallelism in silence."""
        kind = type(self.engine).__name__
        stage = self.engine.zero_optimization_stage()
        if kind != "DeepSpeedEngine" or stage != self.spec.zero_stage:
            raise UserError(
                f"{self.spec.key('engine')}: asked for deepspeed with ZeRO {self.spec.zero_stage}, got "
                f"{kind} with stage {stage}"
            )

    def _fill_moments(self) -> None:
        """Zero moments before the first update: there to be read, or to be set on resuming."""
        adam = self.zero.optimizer
        flats = getattr(self.zero, "fp32_partitioned_groups_flat", None)  # stage 3
        for flat in flats or [p for group in adam.param_groups for p in group["params"]]:
            adam.state[flat] = {
                "step": torch.zeros((), device=flat.device),
                **{kind: torch.zeros_like(flat) for kind in optimizer.MOMENTS},
            }
        # Stages 1 and 2 find a parameter's slices at the first update; stage 3 looks them up.
        link = getattr(self.zero, "_lazy_init_hp_params_optimizer_state", None)
        if link is not None:
            link()

    def train_step(self, batches: list[Batch], targets: int, rate: float) -> tuple[float, float]:
        for group in self.zero.optimizer.param_groups:
            group["lr"] = rate
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for number, batch in enumerate(batches):
            loss = self.engine(batch)
            total += loss.detach()
            # DeepSpeed averages over ranks; the loss is a mean over all ranks' labels.
            factor = self.world / max(1, targets)
            if number + 1 == len(batches):
                torch.distributed.all_reduce(total)
                # It skips an update, on every rank, whose gradient is not finite: make sure of that.
                factor = factor if total.isfinite() else math.nan
            scaled = (loss * factor).float()
            self.engine.backward(scaled, scale_wrt_gas=False)
            self.engine.step()
        norm = float(self.engine.get_global_grad_norm())
        if self.zero.overflow or not math.isfinite(norm):
            raise NotFinite(f"loss {total.item() / max(1, targets):g}, gradient norm {norm:g}")
        self.updates += 1
        return total.item(), norm

    def total(self, value: int) -> int:
        count = torch.tensor([int(value)], device=self.device)
        torch.distributed.all_reduce(count)
        return int(count.item())

    def gather(self, numbers: list[int]) -> list[list[int]]:
        mine = torch.tensor(numbers, device=self.device)
        shares = [torch.zeros_like(mine) for _ in range(self.world)]
        torch.distributed.all_gather(shares, mine)
        return [share.tolist() for share in shares]

    def slices(self) -> list[Slice]:
        found = []
        for name, p in self.parameters.items():
            start, count = self._place(p, name)
            if count:
                found += [
                    Slice(kind, name, start, count) for kind in (PARAMETERS, *optimizer.MOMENTS)
                ]
        return found

    def _place(self, p: torch.nn.Parameter, name: str) -> tuple[int, int]:
        """(start, count) of this rank's numbers in a flattened parameter."""
        if self.spec.zero_stage < 3:
            if p._hp_mapping is None:
                return 0, 0
            address = p._hp_mapping.lp_fragment_address
            return address.start, address.numel
        size = p.ds_tensor.numel()  # equal on all ranks: padded where they do not divide it
        start = size * self.rank
        return start, max(0, min(size, self.shapes[name].numel() - start))

    def get(self, part: Slice) -> torch.Tensor:
        p, kind = self.parameters[part.name], None if part.kind == PARAMETERS else part.kind
        if self.spec.zero_stage < 3:
            return p._hp_mapping.get_hp_fragment(kind).detach()
        return p._z3_optimizer.get_local_fp32_param(p, kind).detach()[: part.count]

    def state(self) -> State:
        kept = State(self.updates, {}, {kind: {} for kind in optimizer.MOMENTS})
        for part in self.slices():
            whole = self.get(part).reshape(self.shapes[part.name]).cpu().clone()
            where = kept.parameters if part.kind == PARAMETERS else kept.moments[part.kind]
            where[part.name] = whole
        return kept

    @torch.no_grad()
    def load(self, stored: Stored) -> None:
        self.updates = stored.updates
        for part in self.slices():
            self._set(part, stored.read(part))
        for number, (name, p) in enumerate(self.parameters.items()):
            self._set_computed(p, name, stored, number % self.world)
        for kept in self.zero.optimizer.state.values():
            kept["step"] = torch.full_like(kept["step"], float(self.updates))

    def _set(self, part: Slice, value: torch.Tensor) -> None:
        """Set this rank's slice of a float32 parameter, or of one of its moments."""
        if self.spec.zero_stage < 3:
            self.get(part).copy_(value)
            return
        p, kind = self.parameters[part.name], None if part.kind == PARAMETERS else part.kind
        padding = p.ds_tensor.numel() - part.count
        p._z3_optimizer.set_local_hp_param(torch.nn.functional.pad(value, (0, padding)), p, kind)

    def _set_computed(self, p: torch.nn.Parameter, name: str, stored: Stored, reader: int) -> None:
        """Set what is computed with, one parameter at a time; ``reader`` has it from the disk."""
        if self.rank == reader:
            value = stored.whole(PARAMETERS, name, self.shapes[name]).to(self.device)
        elif self.spec.zero_stage < 3:
            value = torch.empty(self.shapes[name], dtype=torch.float32, device=self.device)
        if self.spec.zero_stage < 3:
            torch.distributed.broadcast(value, reader)
            p.copy_(value)
            return
        with self.deepspeed.zero.GatheredParameters([p], modifier_rank=reader):
            if self.rank == reader:
                p.copy_(value)

    def close(self) -> None:
        torch.distributed.destroy_process_group()
