"""Where everything lies that a run makes, each pattern once: rules, commands and tests read it here.

Names in braces are Snakemake's wildcards. ``recipe`` is the recipe's name or the name of a study's
cell, ``corpus`` the corpus' name; a part is one file of a source, which has ``parts`` of them.
"""

from lemur.config.values import Values

PART = "part-{part}-of-{parts}"

# -- downloads ------------------------------------------------------------------------------------

MANIFEST = f"resources/{{folder}}/{{name}}/{PART}/manifest.json"
CORPUS_MANIFEST = MANIFEST.replace("{folder}", "corpora")
SOURCE_MANIFEST = CORPUS_MANIFEST.replace("{name}", "{source}")
RECORDS_MANIFEST = "resources/records/mint/manifest.json"
BASE_FOLDER = "resources/models/{base}"
BASE = f"{BASE_FOLDER}/DONE.json"
BASE_MODEL = f"{BASE_FOLDER}/model"

# -- corpus ---------------------------------------------------------------------------------------

CORPUS = "results/corpus/{corpus}"
DOCUMENTS = f"{CORPUS}/{{source}}/{PART}.parquet"
STATISTICS = f"{CORPUS}/{{source}}/{PART}.stats.json"
SIGNATURES = f"{CORPUS}/{{source}}/{PART}.npy"
DUPLICATES = f"{CORPUS}/{{source}}/duplicates.tsv"
DUPLICATE_FACTS = f"{CORPUS}/duplicates.json"
DATASHEET = f"{CORPUS}/datasheet.json"
DATASHEET_PAGE = f"{CORPUS}/datasheet.md"
CROISSANT = f"{CORPUS}/croissant.json"

# -- mixture and tokens ---------------------------------------------------------------------------

MIX = "results/{recipe}/mix"
PLAN = f"{MIX}/plan.json"
DROPPED = f"{MIX}/dropped.tsv"
MIXTURE_TABLE = f"{MIX}/table.txt"
HELDOUT_FOLDER = "results/{recipe}/heldout"
HELDOUT = f"{HELDOUT_FOLDER}/{{kind}}.jsonl"
HELDOUT_CONVERSATIONS = f"{HELDOUT_FOLDER}/conversations.jsonl"
TOKENIZED = "results/tokens"
CORPUS_TOKENS = f"{TOKENIZED}/{{corpus}}"
TOKENS = f"{CORPUS_TOKENS}/{{tokenizer}}/{{source}}/{PART}.json"
TOKEN_NUMBERS = TOKENS.replace(".json", ".bin")
TOKEN_OFFSETS = TOKENS.replace(".json", ".offsets.npy")
PACKED = "results/{recipe}/tokens"
INDEX = f"{PACKED}/index.json"
REALISED = f"{PACKED}/realised.json"
SEGMENTS = f"{PACKED}/segments.npy"
SEQUENCES = f"{PACKED}/sequences.npy"

# -- training -------------------------------------------------------------------------------------

TRAINED = "results/{recipe}/{stage}"
DONE = f"{TRAINED}/DONE.json"
PREFLIGHT = f"{TRAINED}/preflight.json"
PRETRAIN = TRAINED.replace("{stage}", "pretrain")
PRETRAIN_DONE = f"{PRETRAIN}/DONE.json"
PRETRAIN_METRICS = f"{PRETRAIN}/metrics.jsonl"
PRETRAIN_PREFLIGHT = f"{PRETRAIN}/preflight.json"
SFT = TRAINED.replace("{stage}", "sft")
SFT_DONE = f"{SFT}/DONE.json"
SFT_METRICS = f"{SFT}/metrics.jsonl"
SFT_PREFLIGHT = f"{SFT}/preflight.json"
CHECKPOINT_MODEL = f"{PRETRAIN}/step-{{step}}/DONE.json"
CONVERSATIONS = f"{SFT}/data/conversations.jsonl"
CONVERSATION_COUNTS = f"{SFT}/data/sources.json"
SFT_INDEX = f"{SFT}/data/index.json"
SFT_REALISED = f"{SFT}/data/realised.json"

# -- evaluation and agents ------------------------------------------------------------------------

EVALUATE = "results/{recipe}/evaluate"
SCORED = f"{EVALUATE}/{{model}}/{{benchmark}}"
GENERATIONS = f"{SCORED}/generations.jsonl"
SCORES = f"{SCORED}/scores.json"
VERDICTS = f"{SCORED}/verdicts.jsonl"
PROMPT = f"{SCORED}/prompt.txt"
# Where a run keeps what it is going to ask a model.
PLANNED = ".snakemake/planned/{recipe}/{model}.json"
PLAYED = "results/{recipe}/agents/{model}/{environment}"
EPISODES = f"{PLAYED}/episodes.jsonl"
EPISODE_SCORES = f"{PLAYED}/scores.json"
EPISODE_VERDICTS = f"{PLAYED}/verdicts.jsonl"
EPISODE_PAGES = f"{PLAYED}/pages/index.html"
EPISODE_LOG = f"{PLAYED}/episodes.eval"
TRAJECTORIES = f"{PLAYED}/trajectories.jsonl"
REPLAYED = "results/replay/{environment}"
RECOUNT = "results/agents/mint_outcomes.tsv"
COMPARED = "results/agents/compared.json"

# -- figures, report, study, exports --------------------------------------------------------------

FIGURES = "results/figures/{recipe}"
PAPER_FIGURES = FIGURES.replace("{recipe}", "paper")
CLAIMS = f"{FIGURES}/claims.html"
CARDS = "results/{recipe}/card"
CARD = f"{CARDS}/{{model}}/README.md"
CARD_RESULTS = f"{CARDS}/{{model}}/.eval_results/lemur.yaml"
REPORT = "results/{recipe}/report.html"
REPORT_SUMMARY = "results/{recipe}/report.json"
INDEX_PAGE = "results/index.html"
CRATE = "results/ro-crate-metadata.json"
CRATE_FOLDER = "results/ro-crate"
STUDY = "results/{recipe}/study"
EXPORT = "results/{recipe}/export"

# What `make clean-<stage>` removes.
MADE_BY = {
    "corpus": (CORPUS,),
    "mix": (MIX, HELDOUT_FOLDER),
    "tokens": (CORPUS_TOKENS, PACKED),
    "pretrain": (PRETRAIN,),
    "sft": (SFT,),
    "evaluate": (EVALUATE,),
    "figures": (FIGURES, PAPER_FIGURES, CARDS),
    "report": (REPORT, REPORT_SUMMARY, INDEX_PAGE, CRATE, CRATE_FOLDER),
}


def filled(pattern: str, recipe: Values, **values: object) -> str:
    """A path of a resolved recipe, whose names fill ``{recipe}`` and ``{corpus}``; ``values`` the rest."""
    return pattern.format(**{"recipe": recipe["name"], "corpus": recipe["corpus"]["name"]} | values)
