import numpy as np
import pytest

from gbvis.errors import GbvisError
from gbvis.networks.endpoint import (
    AP,
    ENDPOINTS,
    FC,
    SOFTMAX,
    STAGES,
    STEM,
    TargetRequest,
    read_endpoint,
    read_endpoints,
)


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("Conv3d_1", STEM), ("CONV3D_1", STEM), ("conv1", STEM), ("stem", STEM),
        ("conv2_x", STAGES[0]), ("layer1", STAGES[0]), ("conv3d_5_X", STAGES[3]), ("layer4", STAGES[3]),
        ("ap", AP), ("avgpool", AP), ("fc", FC), ("softmax", SOFTMAX),
    ],
)  # fmt: skip
def test_names_and_aliases_in_any_case(name: str, endpoint: object) -> None:
    assert read_endpoint(name) is endpoint


def test_all_means_the_eight() -> None:
    assert read_endpoints(["fc", "all"]) == list(ENDPOINTS)
    assert [str(endpoint) for endpoint in ENDPOINTS] == [
        "Conv3d_1", "Conv3d_2_x", "Conv3d_3_x", "Conv3d_4_x", "Conv3d_5_x", "AP", "FC", "SOFTMAX"
    ]  # fmt: skip


def test_an_unknown_endpoint_names_the_near_ones() -> None:
    with pytest.raises(GbvisError, match="'Conv3d_6_x'") as error:
        read_endpoint("Conv3d_6_x")
    assert "did you mean Conv3d_" in error.value.hint
    assert error.value.exit_code == 2


def test_requests_resolve_by_index_or_by_rank() -> None:
    responses = {SOFTMAX: np.float32([0.1, 0.7, 0.2]), FC: np.float32([9, 0, 0]), STEM: np.float32([3, 1, 2])}
    assert TargetRequest(STEM, index=1).resolve(responses).index == 1
    assert [TargetRequest(STEM, rank=rank).resolve(responses).index for rank in range(3)] == [0, 2, 1]
    assert TargetRequest(FC, rank=0).resolve(responses).index == 1  # the class predicted, not the highest logit
