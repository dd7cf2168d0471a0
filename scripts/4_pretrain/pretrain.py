"""Continue pretraining a model on packed sequences; killed and run again, it continues.

    workflow/env-run train python scripts/4_pretrain/pretrain.py --spec @spec.json \\
        --model resources/models/NAME/model --index results/RECIPE/tokens/index.json \\
        --out results/RECIPE/pretrain/DONE.json

The spec (tokens are counted in whole packed sequences):
  stage "pretrain", recipe (a name), seed
  tokens N or epochs X (the other null), context, global_batch_tokens, micro_batch_sequences
  optimizer {name: adamw, learning_rate, betas: [a, b], epsilon, weight_decay, clip (0: none)}
  schedule {name: cosine|linear|constant|wsd, warmup: share of steps, final: share of the peak;
    warmup_tokens or warmup_steps replace the share, decay: share of steps at the end of wsd}
  precision bf16|fp32, engine auto|torch|deepspeed
  parallel {device: cpu|cuda, nodes, processes_per_node, zero_stage, offload, timeout_seconds}
  checkpoint {every_steps, keep, keep_every_tokens (null: none for good)}
And where wanted (the value in brackets without it):
  gradient_checkpointing [false], attention auto|sdpa|flash [auto]
  vocabulary keep|chatml [keep], threads: CPU threads of one rank [torch's]
  z_loss [0], max_skipped: steps in a row with no finite loss or gradient that end the run [3]
  deterministic: the same bits on a GPU too [false]
  compile: torch.compile each layer [false], cross_entropy auto|chunked|liger [auto]
  lora {rank, alpha, dropout [0], targets: names of layers [all-linear]} [null: all weights]
  micro_batch_sequences may be "auto": what fits the memory

A whole spec, for one process on a CPU (a GPU: device "cuda", engine "auto", zero_stage 1 and bf16):
  {"stage": "pretrain", "recipe": "mine", "seed": 1, "tokens": 1048576, "epochs": null,
   "context": 1024, "global_batch_tokens": 8192, "micro_batch_sequences": 2,
   "optimizer": {"name": "adamw", "learning_rate": 1e-4, "betas": [0.9, 0.95],
                 "epsilon": 1e-8, "weight_decay": 0.1, "clip": 1.0},
   "schedule": {"name": "cosine", "warmup": 0.05, "final": 0.1},
   "precision": "fp32", "engine": "torch", "gradient_checkpointing": false,
   "parallel": {"device": "cpu", "nodes": 1, "processes_per_node": 1, "zero_stage": 0},
   "checkpoint": {"every_steps": 50, "keep": 2}}

--model is any folder in Hugging Face's layout of a supported family, with safetensors and
tokenizer.json. --index is made of documents by scripts/3_tokenize/tokenize.py and pack.py with
the same tokenizer and context.

Writes model/ (a Hugging Face folder), metrics.jsonl and, last, DONE.json. Ctrl-C, SIGTERM and SIGUSR1
write a checkpoint and exit with 75; the same command continues. N ranks on this machine:
`workflow/env-run train python -m lemur.launch --processes N --out DONE.json --
scripts/4_pretrain/pretrain.py ...` (its --help says more).
"""

from lemur.training.script import train

if __name__ == "__main__":
    train(__doc__)
