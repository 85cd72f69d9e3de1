"""Every public name has a docstring, and the examples in the docstrings behind the door are true."""

from __future__ import annotations

import doctest
import importlib

import numpy as np
import pytest

import compress

MODULES = sorted(set(compress._HOMES.values()) | {"compress.arrays", "compress.codecs.base"})


@pytest.mark.parametrize("name", compress.__all__)
def test_a_public_name_says_what_it_is(name: str):
    found = getattr(compress, name)
    assert found.__doc__
    assert len(found.__doc__.strip().splitlines()[0]) > 20


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.filterwarnings("ignore:no labels. PCA")
def test_the_examples_of_docstrings_are_true(module: str):
    ended = doctest.testmod(importlib.import_module(module), extraglobs={"np": np})
    assert ended.failed == 0
