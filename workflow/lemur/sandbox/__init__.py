"""Runs model-written programs where they can do no harm, and judges them where they cannot lie.

``probe`` says whether and how programs can be confined here (by bubblewrap, else by ``apptainer``,
if ``attacks`` find no way out), ``policy`` what they see, ``judge`` runs a program against a test.
Two confined processes take part in a judgement: the *runner* holds the program, the *checker* holds
the test; they share one socket over which plain data travels. For programs over arrays and frames
these are ``inside/solver.py`` and ``inside/tester.py``, and ``inside/values.py`` is what travels.
Only the checker holds the pipe on which the verdict leaves, so a program can neither read what is
expected of it nor write its own verdict.
"""
