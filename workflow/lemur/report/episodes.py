"""Static pages on which a player's episodes open: prompt, answers, observations, verdict.

``index.html`` lists the episodes, each has a page of its own: nobody loads a thousand episodes to
look at one. A page carries its style and nothing else; its policy allows no script, no request and no
picture. What a model or a world said is text, escaped by the template.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lemur.agents.driver import prompt_digest
from lemur.agents.environment import Message, Sampling, Suite, Task
from lemur.agents.episode import Turn
from lemur.agents.judged import open_episodes
from lemur.agents.scoring import Judged
from lemur.core.files import write_text
from lemur.core.progress import Progress
from lemur.core.provenance import ROOT
from lemur.core.readable import readable
from lemur.report.templates import policy, template

TEMPLATES = ROOT / "reports" / "template"
# Info of a turn that has a place of its own on the page.
_PLACED = ("action", "feedback", "end", "world")


@dataclass(frozen=True)
class ShownTurn:
    """A turn as text. ``read`` is how many messages the model read before it, ``same`` whether they
    are those whose digest was recorded; ``cut``: the answer ended at the limit of new tokens."""

    number: int
    answer: str
    action: str
    observation: str
    feedback: str
    reward: str
    read: int
    same: bool
    cut: bool
    more: str


@dataclass(frozen=True)
class ShownEpisode:
    """One page: ``file`` is its name; ``prompt`` what the model read first, as (role, text)."""

    file: str
    task: str
    end: str
    detail: str
    strict: str
    paper: str
    why: str
    left_out: str
    tokens: int
    restarts: int
    prompt: Sequence[tuple[str, str]]
    turns: Sequence[ShownTurn]

    @property
    def differs(self) -> bool:
        """Whether the two scores are not one."""
        return self.strict != self.paper


def _text(value: Any) -> str:
    """A value of a turn's info as text; what is no text as JSON."""
    if value is None:
        return ""
    return readable(value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False))  # fmt: skip


def _score(value: float) -> str:
    return f"{value:.3g}"


def show_episode(suite: Suite, task: Task, judged: Judged, file: str, sampling: Sampling) -> ShownEpisode:  # fmt: skip
    """An episode as text. The prompts are the environment's, rebuilt from the record."""
    episode, verdict = judged.episode, judged.verdict
    turns = []
    first: Sequence[Message] = suite.messages(task, episode.start, [])
    for number, turn in enumerate(episode.turns):
        messages = suite.messages(task, episode.start, list(episode.turns[:number]))
        turns.append(_show_turn(number + 1, turn, messages, sampling))
    return ShownEpisode(
        file=file,
        task=readable(episode.task),
        end=readable(episode.end),
        detail=readable(episode.detail),
        strict=_score(verdict.strict),
        paper=_score(verdict.paper),
        why=readable(verdict.why),
        left_out=readable(verdict.left_out or ""),
        tokens=episode.tokens,
        restarts=episode.restarts,
        prompt=[(message["role"], readable(message["content"])) for message in first],
        turns=turns,
    )


def _show_turn(number: int, turn: Turn, messages: Sequence[Message], sampling: Sampling) -> ShownTurn:  # fmt: skip
    more = {key: value for key, value in turn.info.items() if key not in _PLACED}
    return ShownTurn(
        number=number,
        answer=readable(turn.answer),
        action=_text(turn.info.get("action")),
        observation=readable(turn.observation),
        feedback=_text(turn.info.get("feedback")),
        reward=_score(turn.reward),
        read=len(messages),
        same=prompt_digest(messages, sampling) == turn.prompt,
        cut=turn.finish == "length",
        more=_text(more) if more else "",
    )


def render_episode(
    page: ShownEpisode, names: Mapping[str, str], neighbours: Mapping[str, str], folder: Path
) -> str:
    """One episode's page; ``neighbours``: the files "before" and "after" it, empty at the ends."""
    style = (folder / "report.css").read_text(encoding="utf-8")
    return template(folder, "episode.html.j2").render(
        policy=policy(style, ""),
        style=Markup(style),  # noqa: S704 (a committed file)
        page=page,
        neighbours=neighbours,
        **names,
    )


def render_index(
    pages: Sequence[ShownEpisode],
    left_out: Mapping[str, str],
    names: Mapping[str, str],
    folder: Path,
) -> str:
    """The list of a player's episodes, and the tasks that were not played."""
    style = (folder / "report.css").read_text(encoding="utf-8")
    return template(folder, "episodes.html.j2").render(
        policy=policy(style, ""),
        style=Markup(style),  # noqa: S704 (a committed file)
        pages=pages,
        left_out=[(readable(task), readable(why)) for task, why in sorted(left_out.items())],
        **names,
    )


def write(
    spec: Any,
    episodes: Path,
    verdicts: Path,
    data: Path,
    out: Path,
    games: Path | None = None,
    folder: Path = TEMPLATES,
) -> None:
    """Write the folder of ``out``, its ``index.html``: a page an episode. What lay there is replaced.

    Raises:
        UserError: the files are damaged or not of the same episodes, or the data lack a task.
    """
    opened = open_episodes(spec, episodes, verdicts, data, games)
    suite, model = opened.suite, opened.given.model
    sampling = opened.settings.sampling
    files = [f"{number:04}.html" for number in range(1, len(opened.episodes) + 1)]
    names = {"environment": opened.name, "player": model}
    temporary = out.parent.with_name(f"{out.parent.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    pages = []
    with Progress(f"pages {opened.name} {model}", len(files), "episodes") as progress:
        for number, (task, judged) in enumerate(opened.episodes):
            page = show_episode(suite, task, judged, files[number], sampling)
            neighbours = {
                "before": files[number - 1] if number else "",
                "after": files[number + 1] if number + 1 < len(files) else "",
            }
            write_text(temporary / page.file, render_episode(page, names, neighbours, folder))
            pages.append(page)
            progress.add()
    write_text(temporary / out.name, render_index(pages, opened.left_out, names, folder))
    shutil.rmtree(out.parent, ignore_errors=True)
    temporary.rename(out.parent)
