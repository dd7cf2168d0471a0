"""`snakemake study`: what it would do, and what it says before."""

from snake import planned, snakemake


def test_cells_share_corpus_tokens_and_evaluation_documents(tmp_path):
    jobs = planned(tmp_path, "study", "--config", "study=smallest")
    assert jobs["continue_pretraining"] == jobs["pack"] == 5  # a base and four shares
    assert jobs["generate"] == jobs["judge"] == 5 * 3
    assert jobs["tokenize"] == jobs["clean"] == 4 and jobs["prepare_model"] == 1
    assert jobs["heldout"] == 2 and jobs["decontaminate"] == 1
    assert jobs["analyse_study"] == jobs["draw_study"] == 1


def test_it_says_hours_and_what_they_cut_before_it_starts(tmp_path):
    cell = "results/ratio-1m-seed-2-code-0.909/pretrain/DONE.json"
    done = snakemake(tmp_path, "-n", "-p", cell, "--config", "study=ratio", "hours=4")
    assert done.returncode == 0, done.stderr
    for words in ("plan of study 'ratio'", "hours           4.0 h for 24 models", "cut             bases 3m, 13m",
                  "missing         text: the corpus has about 60 MB"):  # fmt: skip
        assert words in done.stderr, words
    # A cell alone: its base is trained first, and what it starts from is that base.
    (train,) = [line for line in done.stdout.splitlines() if f"--out {cell}" in line]
    assert "--model results/ratio-1m-seed-2-base/pretrain/model" in train
    assert done.stdout.count("rule continue_pretraining:") == 2


def test_a_study_that_is_not_named_is_asked_for(tmp_path):
    done = snakemake(tmp_path, "-n", "study")
    assert done.returncode and "goes with --config study=" in done.stdout + done.stderr


def test_a_studys_cells_are_scored_before_others_are_trained(tmp_path):
    def priorities(*command):
        done = snakemake(tmp_path, "-n", *command)
        assert done.returncode == 0, done.stderr
        jobs = done.stdout.split("rule ")[1:]
        return {
            job.split(":")[0]: int((job.partition("priority: ")[2] or "0").split()[0])
            for job in jobs
        }

    of_a_study = priorities("study", "--config", "study=smallest")
    assert of_a_study["generate"] == of_a_study["judge"] == 1
    assert of_a_study["continue_pretraining"] == 0
    assert priorities("evaluate", "--config", "recipe=smoke")["generate"] == -1
