"""Torch on a thread of its own; `tests/cli/test_leave.py` has how a call ends meanwhile."""

import gc

import pytest

from gbvis.networks.torch_ahead import begin_import


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_is_left_as_it_was(is_enabled: bool) -> None:
    (gc.enable if is_enabled else gc.disable)()
    try:
        begin_import().result(timeout=60)
        assert gc.isenabled() == is_enabled and not gc.get_freeze_count()
    finally:
        gc.enable()
