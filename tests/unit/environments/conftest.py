"""A folder with MINT's texts and a few problems of each set, made here."""

import json
import os

# Two threads gain nothing on models this small.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from tiny_benchmarks import model, tokenizer

TEMPLATE = (
    "Solve it in {max_total_steps} turns with {max_propose_solution} solutions.\n{tool_desc}\n---\n\n"
    "{in_context_example}\n---\n\n{task_prompt}"
)
TEACHER = "Example: {in_context_example}\n{tool_desc}\n{trajectory}\n{correct_solution}\nExpert feedback:\n"
PROBLEMS = {
    "gsm8k": [
        ("What is 3 times 5?", "15"),
        ("What is 10 take away 3?", "7"),
        ("What is 10 take away 13?", "-3"),
    ],
    "math": [("A third of 10?", "3.3333")],
    "hotpotqa": [("Who?", "The Saturdays")],
    "mmlu": [("Largest?\nOptions: A ) 6 , B ) 121 , C ) 18107 , D ) 54,320", "c")],
    "theoremqa": [
        ("The root?", 1.4142),
        ("Is it?", True),
        ("Both?", [1, 2]),
        ("Which? a) up b) down", "b"),
    ],
}
TYPES = {
    "The root?": "float",
    "Is it?": "bool",
    "Both?": "list of integer",
    "Which? a) up b) down": "option",
}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def mint_data(tmp_path):
    place = tmp_path / "mint-bench"
    for name, problems in PROBLEMS.items():
        lines = [
            {
                "id": number,
                "prompt": prompt,
                "reference": reference,
                "answer_type": TYPES.get(prompt),
            }
            for number, (prompt, reference) in enumerate(problems)
        ]
        write(
            place / "data/processed" / name / "test_prompts.json",
            "".join(json.dumps(line) + "\n" for line in lines),
        )
    code = {
        "id": "0",
        "prompt": '"""\nAdd two.\nassert add(1, 2)==3\n"""\n',
        "reference": "assert add(1, 2)==3\nassert add(2, 2)==4",
        "code": "def add(a, b):\r\n    return a + b",
    }
    write(place / "data/processed/mbpp/test_prompts.json", json.dumps(code) + "\n")
    head = 'def once(a):\n    return a\n\n\ndef twice(a):\n    """Twice."""'
    code = {
        "id": "0",
        "prompt": head,
        "reference": "\n\ndef check(candidate):\n    assert candidate(2) == once(4)\n\n\ncheck(twice)",
        # A function of its own is called as the tests' is.
        "canonical_solution": "    def check(a):\n        return 2 * a\n    return check(a)\n",
        "entry_point": "twice",
    }
    write(place / "data/processed/humaneval/test_prompts.json", json.dumps(code) + "\n")
    for folder in ("reasoning", "mbpp", "humaneval"):
        for name in ("with_tool", "with_tool_and_feedback"):
            write(
                place / "mint/tasks/in_context_examples" / folder / f"{name}.txt",
                f"{folder} {name}\n",
            )
    write(place / "mint/prompt/templates/template_with_tool.txt", TEMPLATE)
    write(place / "mint/prompt/templates/template_feedback_agent.txt", TEACHER)
    return place


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A random model that speaks ChatML."""
    made = tmp_path_factory.mktemp("tiny") / "model"
    model(made, tokenizer(made))
    return made
