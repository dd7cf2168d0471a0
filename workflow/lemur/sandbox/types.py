"""What confines programs on this machine, or why nothing does."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sandbox:
    """A way to confine programs that was seen to work. ``bwrap`` is the tool's path."""

    bwrap: str
    version: str
    user_namespace: bool
    tool: str = "bubblewrap"

    @property
    def name(self) -> str:
        """What a score records: tool, version and how rights are given up."""
        how = "user namespace" if self.user_namespace else "root, dropped to another user"
        return f"{self.tool} {self.version} ({how})"

    @property
    def another_user(self) -> bool:
        """Whether what runs inside is not root from its beginning."""
        return self.user_namespace or self.tool == "apptainer"


@dataclasses.dataclass(frozen=True)
class Absent:
    """Why nothing can be judged here, and what to do about it, in one line."""

    reason: str
