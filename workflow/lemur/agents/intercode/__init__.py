"""What the three InterCode environments share: parsing, windows of messages, and the shell.

InterCode (arXiv 2306.14898, https://github.com/princeton-nlp/intercode, MIT) runs actions in docker
containers. Here an action runs in a bubblewrap of its own, and what it leaves behind is carried to
the next one. Prompts and scores are those of the original at commit c3e46d8.
"""
