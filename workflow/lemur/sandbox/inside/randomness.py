"""The state of the random numbers of a process: a program continues where its test has come to, as
it does where both are one process."""

import random
import sys


def seed():
    """Begin each library that is loaded from the same state in every run."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def states():
    """The state of each library that is loaded, to be pickled."""
    found = {"random": random.getstate()}
    if "numpy" in sys.modules:
        found["numpy"] = sys.modules["numpy"].random.get_state()
    if "torch" in sys.modules:
        found["torch"] = sys.modules["torch"].get_rng_state().numpy()
    if "tensorflow" in sys.modules:
        context = _tensorflow()
        drawn = getattr(context, "_rng", None)  # there once a seed is set
        found["tensorflow"] = (context._seed, drawn and drawn.getstate())
    return found


def restore(found):
    """Continue from ``states`` of another process."""
    random.setstate(found["random"])
    if "numpy" in found:
        sys.modules["numpy"].random.set_state(found["numpy"])
    if "torch" in found:
        import torch

        torch.set_rng_state(torch.from_numpy(found["torch"]))
    if "tensorflow" in found:
        seed, state = found["tensorflow"]
        if seed is not None:
            context = _tensorflow()
            context._set_global_seed(seed)
            if state is not None:
                context._rng.setstate(state)


def _tensorflow():
    """TensorFlow keeps its seed and the generator of its operations' seeds in its context."""
    from tensorflow.python.eager import context

    return context.context()
