#!/usr/bin/env bash
# run.sh LTZ EXPORT_ARCHITECTURES NODE_FOLDER: exported graphs in ONNX Runtime against ltz itself. Exits with 77,
# which is "skipped", where node or NODE_FOLDER/node_modules/onnxruntime-node is not installed.
set -euo pipefail
ltz=$(readlink -f "$1")
export_architectures=$(readlink -f "$2")
export ONNXRUNTIME=$3
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../examples
golden=$here/../golden
if ! command -v node >/dev/null || [ ! -d "$ONNXRUNTIME/node_modules/onnxruntime-node" ]; then
  echo "skipped: needs node and onnxruntime-node (npm install --prefix $ONNXRUNTIME onnxruntime-node)"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=passive LC_ALL=C.UTF-8
status=0

compare() { # name, model of ltz, folder of graphs, sentences, maximum length: at least 99% have to be the same
  local lines different
  lines=$(wc -l <"$4")
  "$ltz" translate "$2" --max-len-b "$5" <"$4" >"$work/expected"
  node "$here/translate.mjs" "$3" "$5" <"$4" >"$work/found"
  different=$(diff --suppress-common-lines -y "$work/expected" "$work/found" | wc -l || true)
  if [ "$((different * 100))" -le "$lines" ] && [ "$(wc -l <"$work/found")" = "$lines" ]; then
    echo "ok     $1: $different of $lines translations differ"
  else
    echo "FAILED $1: $different of $lines translations differ"
    diff "$work/expected" "$work/found" | head -20 || true
    status=1
  fi
}

# The example model, in all kinds of weights.
model=$examples/tatoeba-160/checkpoint.pt
head -n 200 "$examples/everyday.en" >"$work/sentences"
"$ltz" quantize "$model" --bits 6 -o "$work/codes.h5" >/dev/null
"$ltz" pack "$work/codes.h5" -o "$work/codes.ltz" 2>/dev/null
"$ltz" convert "$model" "$work/example-float32" --format onnx --golden 8
"$ltz" convert "$model" "$work/example-float16" --format onnx --weights float16 --golden 8
"$ltz" prune "$model" --sparsity 0.8 -o "$work/pruned.h5" >/dev/null
"$ltz" convert "$work/pruned.h5" "$work/example-sparse" --format onnx --sparse --golden 8
"$ltz" convert "$work/codes.ltz" "$work/example-codes" --format onnx --weights codes --opset 17 --separate-tables --golden 8
compare "example, float32" "$model" "$work/example-float32" "$work/sentences" 200
compare "example, float16" "$model" "$work/example-float16" "$work/sentences" 200
compare "example, sparse" "$work/pruned.h5" "$work/example-sparse" "$work/sentences" 30
compare "example, codes" "$work/codes.ltz" "$work/example-codes" "$work/sentences" 200

# Small models of other architectures, with random weights.
for name in iwslt-lightweight wmt-dynamic-glu prenorm-lightweight transformer-base; do
  "$ltz" convert "$golden/$name/checkpoint.pt" "$work/$name" --format onnx --golden 8
  node -e 'console.log(JSON.parse(require("fs").readFileSync(0)).src.join("\n"))' \
    <"$golden/$name/golden.json" >"$work/$name.src"
  compare "$name" "$golden/$name/checkpoint.pt" "$work/$name" "$work/$name.src" 30
done

# The language models of the reference.
for name in "$golden"/language-models/*/; do
  name=$(basename "$name")
  "$ltz" convert "$golden/language-models/$name/checkpoint.pt" "$work/text-$name" --format onnx --golden 8 \
    --dict "$golden/language-models/dict.txt"
done

# Scores and the encoder's outputs, number by number; every architecture of the family with every option.
"$export_architectures" "$work" 80
node "$here/golden.mjs" "$work"/example-* "$work/iwslt-lightweight" "$work/wmt-dynamic-glu" "$work/prenorm-lightweight" \
  "$work/transformer-base" "$work"/text-* "$work"/architecture-* "$work"/language-model-* >"$work/golden" || status=1
grep -vE '^ok.*(architecture|language-model)-' "$work/golden" || true
echo "$(grep -c '^ok' "$work/golden") of $(wc -l <"$work/golden") folders compute what ltz computes"
exit $status
