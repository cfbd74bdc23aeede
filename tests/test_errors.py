"""Errors carry sentences for people, and only cancelling is none."""

from __future__ import annotations

import errno
import inspect
import pickle

import pytest

from lab_desktop import errors
from lab_desktop.errors import Cancelled, LabError, ModelError, is_want_of_memory


def test_every_error_of_the_house_is_a_lab_error_except_cancelling() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]

    assert {kind.__name__ for kind in kinds if not issubclass(kind, LabError)} == {"Cancelled"}


def test_an_error_says_what_happened_what_to_do_and_keeps_details_apart() -> None:
    error = ModelError("The file is short.", "Download it again.", "3 of 4 bytes")

    assert (str(error), error.message) == ("The file is short.", "The file is short.")
    assert (error.hint, error.details) == ("Download it again.", "3 of 4 bytes")


def test_a_handler_for_errors_does_not_swallow_cancelling() -> None:
    with pytest.raises(Cancelled):
        try:
            raise Cancelled
        except LabError:
            pytest.fail("cancelling was taken for an error")


def test_the_tree_in_the_module_docstring_names_every_error() -> None:
    kinds = [name for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]

    assert errors.__doc__ is not None
    assert [name for name in kinds if name not in errors.__doc__] == []


def test_an_error_survives_the_way_between_processes() -> None:
    assert pickle.loads(pickle.dumps(ModelError("The file is short."))).message == "The file is short."


@pytest.mark.parametrize(
    ("error", "is_want"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("bad_alloc"), False),
        (ImportError("rpds.so: failed to map segment from shared object"), True),
        (ImportError("rpds.so: failed to map segment from shared object: Operation not permitted"), False),
    ],
)
def test_want_of_memory_is_known_whoever_says_it(error: Exception, is_want: bool) -> None:
    assert is_want_of_memory(error) is is_want
