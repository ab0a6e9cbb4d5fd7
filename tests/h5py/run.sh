#!/usr/bin/env bash
# run.sh LTZ: models written by h5py and h5repack in every way they have (variants.py) are read as what they are, and the
# example script does what it says. Exits with 77, which is "skipped", where no python3 has h5py.
set -euo pipefail
ltz=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
golden=$here/../golden/iwslt-lightweight
examples=$here/../../examples
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 LC_ALL=C.UTF-8
for python in python3 /usr/bin/python3 none; do
  [ $python = none ] || ! "$python" -c 'import h5py' 2>/dev/null || break
done
if [ $python = none ]; then
  echo "skipped: needs python3-h5py (and, for what h5repack writes, hdf5-tools)"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
status=0
fail() {
  echo "FAILED $*"
  status=1
}

printf '#version: 0.2\nw 0\nw0 1\n' >bpe.codes
cp "$golden"/checkpoint.pt "$golden"/dict.*.txt .
"$ltz" prune checkpoint.pt --sparsity 0.4 -o floats.h5 2>/dev/null
"$ltz" quantize "$golden/checkpoint.pt" --bits 5 -o codes.h5 2>/dev/null  # without merges
language=$here/../golden/language-models
"$ltz" convert "$language/lsra-adaptive-tied-narrow/checkpoint.pt" --dict "$language/dict.txt" language.h5
for model in floats codes language; do
  mkdir $model
  "$python" "$here/variants.py" $model.h5 $model >list || fail "variants.py $model.h5"
  cp $model.h5 same.h5
  # What is read is the same when what is written from it is.
  "$ltz" convert $model/edited.h5 edited.h5
  ! cmp -s edited.h5 same.h5 || fail "$model: the edited model is the old one"
  while read -r name kind; do
    if ! "$ltz" convert "$model/$name.h5" found.h5 2>error; then
      fail "$model, $name: $(cat error)"
    elif ! cmp -s found.h5 "$kind.h5"; then
      fail "$model, $name: other weights or words than in $kind.h5"
    fi
  done <list
  echo "$model: $(wc -l <list) files"
done

# The example script: what is read is written back, and a model pruned by hand goes on.
weights() {
  "$python" "$examples/weights.py" "$@"
}
head -n 20 "$examples/everyday.en" >sentences
"$ltz" quantize "$examples/tatoeba-160/checkpoint.pt" --bits 6 -o model.h5 2>/dev/null
weights read model.h5 weights.npz >tensors
weights write model.h5 weights.npz back.h5
weights prune model.h5 0.3 pruned.h5
"$ltz" pack pruned.h5 -o pruned.ltz 2>/dev/null
for model in model.h5 back.h5 pruned.h5 pruned.ltz; do
  "$ltz" translate $model <sentences >$model.txt
done
cmp model.h5.txt back.h5.txt || fail "what was written back translates otherwise"
cmp pruned.h5.txt pruned.ltz.txt || fail "the pruned model translates otherwise in .ltz"
[ "$(wc -l <tensors)" = "$("$ltz" inspect model.h5 --json | "$python" -c 'import json, sys; print(len(json.load(sys.stdin)["tensors"]))')" ] ||
  fail "not all tensors were read"
"$ltz" inspect pruned.h5 --json | "$python" -c '
import json, math, sys
matrices = [t for t in json.load(sys.stdin)["tensors"] if len(t["shape"]) > 1]
zeros = sum(t["sparsity"] * math.prod(t["shape"]) for t in matrices)
sys.exit(zeros < 0.29 * sum(math.prod(t["shape"]) for t in matrices))' || fail "the pruned model has fewer zeros"
exit $status
