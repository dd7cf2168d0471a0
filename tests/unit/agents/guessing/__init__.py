"""A made environment outside the package: guess a number; the world says higher or lower, and where
there is a teacher, that one too."""

from lemur.agents.environment import Environment, Sampling, Step, Suite, Task, Verdict, WorldFailed


class World(Environment):
    opened = 0
    closed = 0

    def __init__(self, suite):
        self.suite, self.open = suite, True
        World.opened += 1

    def reset(self, task):
        self.wanted, self.left = task.data["number"], self.suite.turns
        return f"between 0 and {self.suite.most}"

    def step(self, action):
        self.suite.seen.append(action)
        if self.suite.dies and action == "die":
            self.suite.dies -= 1
            raise WorldFailed("the number is\nlost")
        self.left -= 1
        try:
            said = int(action)
        except ValueError:
            said = None
        if said == self.wanted:
            return Step("right", 1.0, True, {"action": said, "end": "solved"})
        observation = "no number" if said is None else "lower" if said > self.wanted else "higher"
        observation += self.suite.suffix
        end = {"end": "out of turns"} if not self.left else {}
        return Step(observation, 0.0, not self.left, {"action": said, **end})

    def close(self):
        World.closed += self.open
        self.open = False


class Guessing(Suite):
    name, skill = "guessing", "made up"

    def __init__(
        self, most=100, turns=7, count=5, feedback=False, binary=False, with_solution=False
    ):
        self.most, self.turns, self.count = most, turns, count
        self.feedback, self.binary, self.with_solution = feedback, binary, with_solution
        self.suffix, self.dies, self.seen = "", 0, []

    def tasks(self):
        return [Task(f"guess/{n}", {"number": n * 37 % self.most}) for n in range(self.count)]

    def sampling(self):
        return Sampling(8, stops=("\n",))

    def messages(self, task, start, turns):
        said = [{"role": "user", "content": start}]
        for turn in turns:
            said += [{"role": "assistant", "content": turn.answer}]
            heard = turn.observation + turn.info.get("feedback", "")
            said += [{"role": "user", "content": heard}]
        return said

    def consult(self, task, start, turns):
        if not self.feedback:
            return None
        told = f" the number is {task.data['number']}" if self.with_solution else ""
        asked = f"{turns[-1].answer}: {turns[-1].observation}{told}"
        return [{"role": "user", "content": asked}], Sampling(6, stops=("\n",))

    def passed_on(self, feedback):
        return feedback[:1] if self.binary else feedback

    def open(self):
        return World(self)

    def judge(self, task, episode):
        solved = float(episode.reward)
        return Verdict(solved, solved)

    def gold(self, task):
        return [str(task.data["number"])]


SUITE = Guessing
