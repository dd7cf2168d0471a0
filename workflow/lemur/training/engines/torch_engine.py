"""One process on a CPU or one GPU, in plain PyTorch: needs no compiler and no launcher."""

import torch
from transformers import PreTrainedModel

from lemur.training import optimizer
from lemur.training.batches import Batch
from lemur.training.engines.base import NotFinite, State
from lemur.training.model import packed_loss
from lemur.training.precision import choose_arithmetic
from lemur.training.settings import Spec
from lemur.training.stored import PARAMETERS, Stored


class TorchEngine:
    """Weights, gradients and moments are float32; bf16 computes on a bfloat16 copy of the weights,
    or in float32 on a CPU without instructions for bfloat16.

    The copy is refreshed once an update, and gradients are added to float32 as soon as they are
    made. (autocast keeps no copy: it casts every weight at every pass, and back.)
    """

    name = "torch"
    rank = 0
    world = 1

    def __init__(self, model: PreTrainedModel, spec: Spec):
        self.spec = spec
        device = self.device = torch.device(spec.device)
        model.to(device).train()
        if spec.gradient_checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        self.model = model
        self.loss = packed_loss(model, spec)
        self.computed = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.masters = self.computed
        if choose_arithmetic(spec.precision, self.name, device) == "bf16":
            self.masters = {name: p.detach().clone() for name, p in self.computed.items()}
            # The parameters alone: a cast of the whole module would round rotary frequencies.
            for p in model.parameters():
                p.data = p.data.to(torch.bfloat16)
            for name, p in self.computed.items():
                p.register_post_accumulate_grad_hook(self._adder(self.masters[name]))
        self.optimizer = optimizer.build(self.masters, optimizer.embedding_names(model), spec)

    @staticmethod
    def _adder(master: torch.Tensor):
        def add(computed: torch.Tensor) -> None:
            if master.grad is None:
                master.grad = computed.grad.float()
            else:
                master.grad.add_(computed.grad)
            computed.grad = None

        return add

    def train_step(self, batches: list[Batch], targets: int, rate: float) -> tuple[float, float]:
        total = torch.zeros((), dtype=torch.float64, device=self.model.device)
        for batch in batches:
            loss = self.loss(batch)
            # The sum, not the mean: bfloat16 could not hold the factor 1 / targets exactly.
            loss.backward()
            total += loss.detach()
        loss_sum = total.item()
        gradients = [p.grad for p in self.masters.values() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients).item() / max(1, targets)
        if not (torch.tensor([loss_sum, norm]).isfinite().all()):
            self.optimizer.zero_grad(set_to_none=True)
            raise NotFinite(f"loss {loss_sum / max(1, targets):g}, gradient norm {norm:g}")
        clip = self.spec.clip
        factor = min(1.0, clip / norm) if clip and norm else 1.0
        torch._foreach_mul_(gradients, factor / max(1, targets))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._refresh()
        return loss_sum, norm

    @torch.no_grad()
    def _refresh(self) -> None:
        if self.masters is not self.computed:
            for name, p in self.computed.items():
                p.copy_(self.masters[name])

    def total(self, value: int) -> int:
        return value

    def state(self) -> State:
        moments: dict[str, dict[str, torch.Tensor]] = {kind: {} for kind in optimizer.MOMENTS}
        updates = 0
        for name, p in self.masters.items():
            kept = self.optimizer.state.get(p, {})
            updates = max(updates, int(kept.get("step", 0)))
            for kind in optimizer.MOMENTS:
                moments[kind][name] = kept[kind].cpu() if kept else torch.zeros_like(p.cpu())
        parameters = {name: p.detach().cpu() for name, p in self.masters.items()}
        return State(updates, parameters, moments)

    @torch.no_grad()
    def load(self, stored: Stored) -> None:
        for name, p in self.masters.items():
            p.copy_(stored.whole(PARAMETERS, name, p.shape))
            self.optimizer.state[p] = {
                "step": torch.tensor(float(stored.updates), device=p.device),
                **{
                    kind: stored.whole(kind, name, p.shape).to(p.device)
                    for kind in optimizer.MOMENTS
                },
            }
        self._refresh()

    def close(self) -> None:
        pass
