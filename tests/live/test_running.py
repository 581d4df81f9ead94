"""A reader's code runs as in a process of its own."""

import pytest


def test_what_is_printed_comes_in_its_order(runtime):
    result = runtime.run("import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint('三', end='')")
    assert (result["out"], result["error_out"]) == ("1\n三", "2\n")
    assert (result["status"], result["error"], result["figures"]) == ("done", "", [])


def test_a_traceback_has_the_readers_lines_alone(runtime):
    code = """import keras

def model(x):
    return keras.layers.Dense("a")(x)

try:
    model([1])
except Exception as error:
    raise RuntimeError("no model") from error
"""
    told = runtime.run(code)["error"]
    assert [line.strip() for line in told.splitlines() if line.startswith("  File")] == [
        'File "main.py", line 7, in <module>',
        'File "main.py", line 4, in model',
        'File "main.py", line 9, in <module>',
    ]
    assert 'keras.layers.Dense("a")(x)' in told
    assert told.endswith("RuntimeError: no model\n")


def test_a_syntax_error_shows_its_place(runtime):
    told = runtime.run("x = 1\nprint(x")["error"]
    assert told.startswith('  File "main.py", line 2\n    print(x\n')
    assert told.endswith("SyntaxError: '(' was never closed\n")


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("import sys\nsys.exit()", "done", ""),
        ("import sys\nsys.exit(3)", "exit", "3"),
        ("raise SystemExit('enough')", "exit", "enough"),
        (
            "while True:\n    try:\n        print('x' * 9999)\n    except Exception:\n        pass",
            "output",
            "",
        ),
        ("input()", "error", "EOFError"),
        ("x = bytearray(2**32)", "error", "Error"),
        ("def f():\n    f()\nf()", "error", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_each_end_is_told(runtime, code, status, error):
    result = runtime.run(code)
    assert result["status"] == status
    assert error in result["error"]
    assert runtime.run("print(7)")["out"] == "7\n"


def test_too_much_output_is_cut(runtime):
    assert len(runtime.run("print('x' * 2_000_000)")["out"]) == 1_000_000


def test_nothing_of_a_run_is_left_in_the_next(run, runtime):
    before = """
import os, sys, warnings
import keras
import numpy as np
keras.config.set_floatx("float16")
keras.config.set_dtype_policy("mixed_float16")
np.set_printoptions(precision=1)
np.seterr(all="raise")
warnings.simplefilter("error")
np.random.rand(3)
open("notes.txt", "w").write("x")
open("mine.py", "w").write("x = 1")
import mine
sys.path.append("elsewhere")
os.environ["KERAS_BACKEND"] = "another"
@keras.saving.register_keras_serializable()
class Mine(keras.layers.Layer):
    pass
Mine()
"""
    after = """
import os, sys, warnings
import keras
import numpy as np
import keras_masking
print(keras.config.floatx(), keras.config.dtype_policy().name, np.float32(1) / 3, np.array([1 / 3]))
print(os.listdir(), "before" in globals(), __name__, "mine" in sys.modules)
print("elsewhere" in sys.path, os.environ["KERAS_BACKEND"])
print([name for name in keras.saving.get_custom_objects() if "Mine" in name])
print(len(keras.saving.get_custom_objects()) > 20)
print(keras.layers.Dense(1).name, np.random.rand())
warnings.warn("told")
"""
    fresh = runtime.run(after)
    run(before)
    again = runtime.run(after)
    for result in (fresh, again):
        assert result["out"].splitlines()[:5] == [
            "float32 float32 0.33333334 [0.33333333]",
            "[] False __main__ False",
            "False numpy",
            "[]",
            "True",
        ]
        assert "UserWarning: told" in result["error_out"]
        assert result["status"] == "done"
    assert fresh["out"] == again["out"]


def test_a_warning_is_told_as_on_a_desktop(runtime):
    code = """import keras
import numpy as np
x = keras.layers.Embedding(3, 2, mask_zero=True)(np.array([[1, 0]]))
keras.layers.Flatten()(x)
"""
    told = runtime.run(code)["error_out"]
    assert "UserWarning: Layer 'flatten' (of type Flatten) was passed an input with a mask" in told
    assert runtime.run(code)["error_out"] == told


MODEL = """
import keras
import numpy as np
from keras import layers
from keras_masking import find_leaks, repair, trace
ids = keras.Input((None,), dtype="int32", name="ids")
x = layers.Embedding(9, 2, mask_zero=True, name="words")(ids)
model = keras.Model(ids, layers.GlobalAveragePooling1D(name="mean")(x * 2), name="small")
batch = np.array([[3, 1, 4], [1, 5, 0]])
"""


def test_what_a_run_shows_is_drawn(runtime):
    shown = (
        MODEL
        + "print(trace(model, batch))\nopen('a.svg', 'w').write('<svg/>')\nfind_leaks(model, batch)"
    )
    figures = runtime.run(shown, "zh")["figures"]
    assert [(figure["name"], figure["kind"]) for figure in figures] == [
        ("Trace", "html"),
        ("LeakReport", "html"),
        ("a.svg", "svg"),
    ]
    assert 'lang="zh"' in figures[0]["source"]
    assert figures[2]["source"] == "<svg/>"


def test_the_last_value_is_drawn_by_its_own_class(runtime):
    """And where that fails, it is an error of the reader's code, and Python goes on."""
    code = "class Mine:\n    def _repr_html_(self):\n        return {}\nMine()"
    drawn = runtime.run(code.format("'<b>mine</b>'"))
    assert [figure["source"] for figure in drawn["figures"]] == ["<b>mine</b>"]
    assert runtime.run(code.format("None"))["figures"] == []
    failed = runtime.run(code.format("1 / 0"))
    assert failed["status"] == "error"
    assert failed["error"].endswith("ZeroDivisionError: division by zero\n")


def test_what_a_run_does_not_show_is_not_drawn(runtime):
    assert runtime.run(MODEL + "run = trace(model, batch)\nprint(len(run))")["figures"] == []


def test_find_leaks_and_repair_work(run):
    printed = run(
        MODEL
        + "done = repair(model, batch)\n"
        + "print(done.before.verdict, done.report.verdict, *(x.after for x in done.changes))"
    )
    assert printed == "leaks clear Multiply → KeepMask\n"
