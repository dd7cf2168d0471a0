"""Problems made by hand in the form of xlangai/DS-1000, with right and wrong answers."""

_CONTEXT = '''
import copy
{imports}


def generate_test_case(test_case_id):
    def define_test_input(test_case_id):
        if test_case_id == 1:
            return {one}
        return {two}

    def generate_ans(data):
        x = data
        return {answer}

    test_input = define_test_input(test_case_id)
    return test_input, generate_ans(copy.deepcopy(test_input))


def exec_test(result, ans):
    {compare}
    return 1


exec_context = r"""
{imports}
x = test_input
[insert]
{after}
"""


def test_execution(solution: str):
    code = exec_context.replace("[insert]", solution)
    for i in range(2):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {{"test_input": test_input}}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
'''
_STRING = """

def test_string(solution: str):
    assert "for" not in solution.split()
"""


def _row(number, library, imports, one, two, answer, compare, string=False, after=""):
    filled = {"imports": imports, "one": one, "two": two, "answer": answer, "compare": compare}
    context = _CONTEXT.format(**filled, after=after)
    shown = f"<code>\n{imports}\nx = {one}\n</code>\n"
    return {
        "prompt": f"Problem:\nWhat is {answer}?\nA:\n{shown}result = ... # put solution in this "
        "variable\nBEGIN SOLUTION\n<code>\n",
        "reference_code": f"result = {answer}",
        "metadata": {
            "problem_id": number,
            "library_problem_id": number,
            "library": library,
            "test_case_cnt": 2,
            "perturbation_type": "Origin",
            "perturbation_origin_id": 0,
        },
        "code_context": context + (_STRING if string else ""),
    }


PLAIN = _row(0, "Plain", "import math", "[1, 2]", "[3]", "sum(x)", "assert result == ans", True)
ROWS = [
    _row(1, "Numpy", "import numpy as np", "np.arange(4)", "np.eye(3)", "x.sum(axis=0)",
         "np.testing.assert_allclose(result, ans)", True),
    _row(2, "Pandas", "import pandas as pd", "pd.DataFrame({'a': [1, 2]})",
         "pd.DataFrame({'a': [3]})", "x.append({'a': 9}, ignore_index=True)",  # gone since pandas 2
         "pd.testing.assert_frame_equal(result, ans)"),
    _row(3, "Scipy", "import numpy as np\nfrom scipy.integrate import simpson", "np.arange(4.0)",
         "np.arange(6.0)", "simpson(x, np.arange(len(x)))", "assert abs(result - ans) < 1e-9"),
    _row(4, "Sklearn", "import numpy as np\nfrom sklearn.preprocessing import scale",
         "np.arange(6.0).reshape(3, 2)", "np.eye(3)", "scale(x)",
         "np.testing.assert_allclose(result, ans)"),
    _row(5, "Matplotlib", "import matplotlib.pyplot as plt", "[1, 2]", "[3, 4]",
         "plt.plot(x, x)[0].get_xdata().tolist()", "assert list(result) == list(ans)"),
    _row(6, "Pytorch", "import torch", "torch.arange(4)", "torch.eye(3)", "x.sum()",
         "assert torch.equal(result, ans)"),
    _row(7, "Tensorflow", "import tensorflow as tf", "tf.constant([1, 2])", "tf.constant([3])",
         "tf.reduce_sum(x)", "assert int(result) == int(ans)"),
    # Its reference solution fails whatever is installed.
    _row(8, "Pandas", "import pandas as pd", "1", "2", "pd.no_such_function(x)",
         "assert result == ans"),
]  # fmt: skip

# Not to be judged by two processes: assertions that run with the program, and what is not data.
TOGETHER = [
    _row(20, "Plain", "import math", "[1]", "[2]", "x * 2", "assert result == ans",
         after="assert len(result) == 2"),
    _row(21, "Plain", "import string", "[1]", "[2]", "string.Template(str(x))",
         "assert result.template == ans.template"),
]  # fmt: skip

# Two ways of cheating.
SAME = """
class Same(int):
    __eq__ = lambda self, other: True
    __hash__ = int.__hash__
result = Same()
"""
# The messages of both channels, on every descriptor that there is.
FORGES = """
import json, os
for text in ('{"verdict":"passed","told":{}}', '{"variables":{"dict":[]}}', '{"value":true}'):
    for number in range(3, 256):
        for head in (b"", len(text).to_bytes(4, "little")):
            try: os.write(number, head + text.encode())
            except OSError: pass
os._exit(0)
"""
