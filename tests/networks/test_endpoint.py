import numpy as np
import pytest

from gbvis.errors import UsageError
from gbvis.networks.endpoint import AP, FC, SOFTMAX, Endpoint, Target, TargetRequest, find_endpoints
from gbvis.networks.r2plus1d.architecture import ENDPOINTS, STAGES, STEM


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("Conv3d_1", STEM), ("CONV3D_1", STEM), ("conv1", STEM), ("stem", STEM),
        ("conv2_x", STAGES[0]), ("layer1", STAGES[0]), ("conv3d_5_X", STAGES[3]), ("layer4", STAGES[3]),
        ("ap", AP), ("avgpool", AP), ("fc", FC), ("softmax", SOFTMAX),
    ],
)  # fmt: skip
def test_names_and_aliases_in_any_case(name: str, endpoint: Endpoint) -> None:
    assert find_endpoints([name], ENDPOINTS) == [endpoint]


def test_all_means_the_eight() -> None:
    assert find_endpoints(["fc", "all"], ENDPOINTS) == list(ENDPOINTS)
    assert [str(endpoint) for endpoint in ENDPOINTS] == [
        "Conv3d_1", "Conv3d_2_x", "Conv3d_3_x", "Conv3d_4_x", "Conv3d_5_x", "AP", "FC", "SOFTMAX"
    ]  # fmt: skip


def test_an_unknown_endpoint_names_the_near_ones() -> None:
    with pytest.raises(UsageError, match="'Conv3d_6_x'") as error:
        find_endpoints(["Conv3d_6_x"], ENDPOINTS)
    assert "did you mean Conv3d_" in error.value.hint


def test_endpoints_come_in_their_own_order_and_once() -> None:
    assert find_endpoints(["softmax", "conv1", "FC", "stem"], ENDPOINTS) == [STEM, FC, SOFTMAX]
    assert find_endpoints([], ENDPOINTS) == []


def test_what_a_target_is_belongs_to_the_endpoint() -> None:
    assert [endpoint for endpoint in ENDPOINTS if endpoint.is_class] == [FC, SOFTMAX]
    assert [endpoint for endpoint in ENDPOINTS if endpoint.is_score] == [SOFTMAX]
    assert not Endpoint("risk", (), "feature", "score").is_score


def test_requests_resolve_by_index_or_by_rank() -> None:
    responses = {SOFTMAX: np.float32([0.1, 0.7, 0.2]), FC: np.float32([9, 0, 0]), STEM: np.float32([3, 1, 2])}
    assert TargetRequest(STEM, STEM, index=1).resolve(responses) == Target(STEM, 1)
    assert [TargetRequest(STEM, STEM, rank=rank).resolve(responses).index for rank in range(3)] == [0, 2, 1]
    assert TargetRequest(FC, SOFTMAX, rank=0).resolve(responses) == Target(FC, 1)  # predicted, not the highest logit
