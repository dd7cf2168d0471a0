"""InterCode-SQL's 1,034 tasks (Spider's development split)."""

from lemur.agents.environment import Task
from lemur.agents.intercode.data import Files, read_tasks

PATH = "data/sql/spider/ic_spider_dev.json"
DUMP = "data/sql/spider/ic_spider_dbs.sql"
NEEDED = {"db": str, "gold": str, "query": str, "hardness": str, "db_tables": dict}


def read(files: Files) -> list[Task]:
    """All tasks in the order of their file."""
    path = files.need(PATH)
    return [
        Task(str(number), {key: item[key] for key in NEEDED})
        for number, item in enumerate(read_tasks(path, NEEDED))
    ]
