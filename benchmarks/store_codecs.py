"""The store's codecs: size, and the seconds of writing and reading over those of computing, for a real gradient.

python benchmarks/store_codecs.py VIDEO
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from rivals import THREADS, guided_gradients, make_network
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from gbvis.networks.endpoint import SOFTMAX, Target
from gbvis.videos.clip import cut_clip
from gbvis.videos.readers.video_file import VideoFile

FRAMES, ROUNDS = 16, 9
CODECS: dict[str, list[Any]] = {
    "none": [],
    "zstd 1": [ZstdCodec(level=1)],
    "blosc lz4 1, shuffled": [BloscCodec(cname="lz4", clevel=1, shuffle="shuffle", typesize=4)],
    "blosc zstd 1, shuffled (the store's)": [BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=4)],
    "blosc zstd 5, shuffled": [BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=4)],
    "blosc zstd 1, bits shuffled": [BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle", typesize=4)],
}


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    torch.set_num_threads(THREADS)
    network = make_network()
    video = VideoFile(parser.parse_args().video)
    pixels = cut_clip(video, range(FRAMES), network.info.clip_format)
    computing = []
    for _ in range(4):
        started = time.perf_counter()
        (found,) = guided_gradients(network, [pixels], {SOFTMAX}, [Target(SOFTMAX, 3)])
        computing.append(time.perf_counter() - started)
    seconds = statistics.median(computing[1:])
    gradient = np.stack([one.values for one in found.result()])
    print(f"Computing took {seconds:.3f} s; the gradient is {gradient.nbytes / 1e6:.2f} MB.\n")
    print("| codec, then CRC-32C | bytes | write | read | both, of computing |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        for number, (codec, compressors) in enumerate(CODECS.items()):
            folder = Path(name) / str(number)
            array = zarr.create_array(
                folder, shape=gradient.shape, chunks=gradient.shape, dtype="float32",
                compressors=[*compressors, Crc32cCodec()],
            )  # fmt: skip
            writing, reading = [], []
            for _ in range(ROUNDS):
                started = time.perf_counter()
                array[:] = gradient
                writing.append(time.perf_counter() - started)
                started = time.perf_counter()
                assert np.array_equal(np.asarray(array[:]), gradient)
                reading.append(time.perf_counter() - started)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.name != "zarr.json")
            write, read = statistics.median(writing), statistics.median(reading)
            share = (write + read) / seconds
            print(
                f"| {codec} | {size / gradient.nbytes:.2f} | {write * 1e3:.1f} ms | {read * 1e3:.1f} ms | {share:.1%} |"
            )


if __name__ == "__main__":
    main()
