#!/usr/bin/env bash
# Installs the build and compiles programs against the installed package.
set -euo pipefail
build=$1
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
"$work/prefix/bin/ltz" --version
sanitize=$(sed -n 's/^LTZ_SANITIZE:STRING=//p' "$build/CMakeCache.txt")

# with_cmake FOLDER: the program of this folder, in $work/FOLDER.
with_cmake() {
  cmake -S "$here/$1" -B "$work/$1" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DLTZ_SANITIZE="$sanitize" >/dev/null
  cmake --build "$work/$1" >/dev/null
}
with_cmake libraries
"$work/libraries/consumer" "$here/../golden/iwslt-lightweight/checkpoint.pt"

# The C++ example compresses the example model as the program does.
head -3 "$examples/everyday.en" >"$work/calibration"
checkpoint=$examples/tatoeba-160/checkpoint.pt
"$work/libraries/compress" "$checkpoint" "$work/calibration" "$work/library.ltz"
"$work/prefix/bin/ltz" compress "$checkpoint" --preset max --calibration "$work/calibration" -o "$work/program.ltz" >/dev/null
cmp "$work/library.ltz" "$work/program.ltz"

# The C example translates as `ltz translate` does; the header has its older name, too.
[ -e "$work/prefix/include/ltz/formats/ltz_runtime.h" ]
with_cmake runtime
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name ltz-runtime.pc)")
cc -std=c99 -Wall -Wextra -pedantic -Werror ${sanitize:+-fsanitize=$sanitize} "$examples/translate.c" \
  $(pkg-config --cflags --libs ltz-runtime) -o "$work/translate"
head -20 "$examples/everyday.en" >"$work/source"
model=$examples/tatoeba-160/balanced.ltz
"$work/prefix/bin/ltz" translate "$model" <"$work/source" >"$work/best"
"$work/prefix/bin/ltz" translate "$model" --n-best 2 <"$work/source" >"$work/two_best"
for translate in "$work/runtime/translate" "$work/translate"; do
  "$translate" "$model" <"$work/source" | cmp - "$work/best"
  "$translate" "$model" 2 <"$work/source" | cmp - "$work/two_best"
done
status=0
"$work/translate" "$examples/everyday.en" 2>"$work/error" </dev/null || status=$?
[ $status = 3 ]
grep ".ltz" "$work/error"
