from pathlib import Path

import pytest

from gbvis.errors import GbvisError, UsageError
from gbvis.networks.labels import find_class, read_class_list, read_labels


def test_class_lists_are_in_their_own_order(shared: Path) -> None:
    official = [line.split()[1] for line in (shared / "labels/ucf101_classInd.txt").read_text().splitlines()]
    trained = [line.split()[1] for line in (shared / "labels/hmdb51_seed_order.txt").read_text().splitlines()]
    kinetics = (shared / "labels/kinetics400.txt").read_text().splitlines()
    assert read_class_list("ucf101") == tuple(official)
    assert read_class_list("hmdb51") == tuple(trained)
    assert read_class_list("kinetics400") == tuple(kinetics)


@pytest.mark.parametrize("label", ["97", "WalkingWithDog", "walking with dog", "walking_with-dog"])
def test_a_class_by_index_or_name(label: str) -> None:
    assert find_class(label, read_class_list("ucf101"), 101) == 97


@pytest.mark.parametrize(("label", "hint"), [("101", "0 to 100"), ("-1", "0 to 100"), ("WalkingDog", "WalkingWithDog")])
def test_a_wrong_class_says_what_is_right(label: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        find_class(label, read_class_list("ucf101"), 101)
    assert hint in error.value.hint


@pytest.mark.parametrize(
    "text", ["one\ntwo words\n3d\n", "0 one\n1 two words\n2 3d", "\ufeff1 one\r\n2 two words\r\n3 3d\r\n"]
)
def test_a_list_of_ones_own(tmp_path: Path, text: str) -> None:
    (tmp_path / "classes.txt").write_text(text, encoding="utf-8")
    assert read_labels(tmp_path / "classes.txt") == ("one", "two words", "3d")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00", None])
def test_what_is_no_list(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(UsageError, match=r"classes\.txt"):
        read_labels(tmp_path / "classes.txt")


def test_a_name_without_names_is_an_error() -> None:
    with pytest.raises(GbvisError, match="carry no class names"):
        find_class("Archery", None, 12)


def test_only_line_feeds_divide_a_list(tmp_path: Path) -> None:
    """`splitlines` divides at more than that, and a class more shifts all that follow."""
    (tmp_path / "classes.txt").write_text("a\u2028b\nc\x85d\n7\x1ce\n", encoding="utf-8")
    assert read_labels(tmp_path / "classes.txt") == ("a\u2028b", "c\x85d", "7\x1ce")


def test_a_number_of_many_digits_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("9" * 5000 + " one", encoding="utf-8")
    assert read_labels(tmp_path / "classes.txt") == ("9" * 5000 + " one",)
