#!/usr/bin/env bash
# What `ltz compress` does, step by step: ./examples/pipeline.sh [FOLDER]
# Needs `ltz` on the PATH. Every file in between is HDF5: look at them with h5dump or h5py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
test_set=(--src "$here/everyday.en" --ref "$here/everyday.fr")

ltz convert "$here/tatoeba-160/checkpoint.pt" "$work/model.h5"
ltz sensitivity "$work/model.h5" "${test_set[@]}" --sentences 100 --sparsity 0.3,0.5 --bits 8 \
  -o "$work/sensitivity.csv"
ltz prune "$work/model.h5" --sensitivity "$work/sensitivity.csv" --sparsity 0.4 -o "$work/pruned.h5"
ltz quantize "$work/pruned.h5" --bits 8 --init linear -o "$work/quantized.h5"
ltz pack "$work/quantized.h5" -o "$work/model.ltz"
ltz verify "$work/model.ltz" --reference "$work/model.h5" "${test_set[@]}" --min-ratio model=6 --json
