#!/usr/bin/env bash
# From a fresh clone to a compressed, verified model: ./examples/quickstart.sh
# Installs what is missing with apt (Debian 12), builds into build/release and works in build/quickstart.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build ccache pkg-config libeigen3-dev libopenblas-dev libcli11-dev libhdf5-dev
  libzip-dev libfmt-dev nlohmann-json3-dev libtomlplusplus-dev libyaml-cpp-dev libutf8proc-dev libxxhash-dev libonnx-dev libprotobuf-dev catch2)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

cmake --preset release >/dev/null
cmake --build --preset release --target ltz
PATH="$PWD/build/release:$PATH"

model=examples/tatoeba-160/checkpoint.pt
test_set=(--src examples/everyday.en --ref examples/everyday.fr)
work=build/quickstart
mkdir -p "$work"

echo
echo "== ltz compress: the paper's method (sensitivity, pruning, K-means) at 4.49 bits per weight"
ltz compress "$model" -o "$work/model.ltz" --preset paper "${test_set[@]}"

echo
echo "== ltz compress: the preset 'balanced', second-order rounding, is smaller and better"
ltz compress "$model" -o "$work/balanced.ltz" --preset balanced "${test_set[@]}" | tail -n 7

echo
echo "== ltz verify: that file as it is on disk, against limits"
ltz verify "$work/balanced.ltz" --reference "$model" --min-ratio model=9 --max-bleu-drop 3 "${test_set[@]}"

echo
echo "== ltz translate"
for sentence in "Where is the station ?" "I don 't know what to do ." "It 's too cold to go swimming today ."; do
  echo "$sentence"
  ltz translate "$work/balanced.ltz" <<<"$sentence"
done
