#!/bin/sh
# The main job on the small clip of this folder, with made weights: they know no classes, the pictures show how things
# look, not what a trained network sees.
set -eu
here=$(dirname "$0")
out=${1:-example-output}

python "$here/make_weights.py" "$out"
export GBVIS_WEIGHTS="$out/rgb.pth:$out/flow.pth" GBVIS_DATASET="$here/two-stream" GBVIS_STORE="$out/gbvis.zarr"

set -x
gbvis predict moving-disc --clips 2 --top 3
gbvis explain moving-disc -e Conv3d_2_x -e SOFTMAX
gbvis explain moving-disc -e Conv3d_2_x -e SOFTMAX  # all of it is in the store now
gbvis explain "$here/moving-disc.mp4" -m rgb
gbvis render -o "$out" --format gif --format mp4
