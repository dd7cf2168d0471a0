"""lemur.core.files: whole under the final name, or not there."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.core import files
from lemur.core.errors import UserError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_replacing_leaves_nothing_on_error(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("before")
    with pytest.raises(RuntimeError), files.replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_replacing_is_invisible_until_whole(tmp_path):
    target = tmp_path / "deep" / "out.txt"
    with files.replacing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_file_has_the_mode_that_umask_grants(tmp_path, umask, mode):
    """Also where a library wrote it for its owner alone, and where another stood there before."""
    target = tmp_path / "out.json"
    target.write_text("before")
    target.chmod(0o640)
    before = os.umask(umask)
    try:
        with files.replacing(target) as temporary:
            temporary.unlink()
            os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
        assert files.usual_mode(tmp_path) == mode
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == mode
    assert os.listdir(tmp_path) == ["out.json"]


@given(value=JSON)
def test_canonical_does_not_depend_on_key_order(value):
    def reverse(item):
        if isinstance(item, dict):
            return {key: reverse(item[key]) for key in reversed(item)}
        return [reverse(part) for part in item] if isinstance(item, list) else item

    assert files.canonical(value) == files.canonical(reverse(value))


def test_read_json_names_the_file(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"a": ')
    with pytest.raises(UserError, match="broken.json: not valid JSON"):
        files.read_json(broken)
    with pytest.raises(UserError, match="none.json: no such file"):
        files.read_json(tmp_path / "none.json")


def test_write_json_refuses_nan_and_keeps_what_was_there(tmp_path):
    target = tmp_path / "scores.json"
    files.write_json(target, {"value": 1.0})
    with pytest.raises(ValueError):
        files.write_json(target, {"value": float("nan")})
    assert files.read_json(target) == {"value": 1.0}
