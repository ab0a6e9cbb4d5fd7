#!/usr/bin/env bash
# robustness.sh SECONDS [MODEL.ltz]: tries to break ltz in every way that is known here and prints what was tried: attacks
# made by hand, fuzzing of every decoder for so many SECONDS, faults under every command that writes, damages to the .ltz
# (default: a small one), builds of two compilers, load. Takes hours. Needs what .ci/run installs, and what fuzz/run.sh needs.
#   KILLS=N ALLOCATIONS=N DAMAGES=N QUICK=1  as faults/run.sh has them
set -euo pipefail
seconds=$1
export MODEL=${2:+$(readlink -f "$2")}
cd "$(dirname "$0")/.."
build() { # folder, cmake's arguments...
  cmake "${@:2}" >/dev/null && cmake --build "$1" >/dev/null
}
build build/dev --preset dev
build build/release --preset release
build build/clang -S . -B build/clang -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=clang++-16 -DLTZ_BUILD_TESTS=OFF
cmake --preset asan-ubsan >/dev/null && cmake --build --preset asan-ubsan --target malformed_tests >/dev/null
cmake --preset tsan >/dev/null && cmake --build --preset tsan >/dev/null

echo "Attacks made by hand, with AddressSanitizer and UndefinedBehaviorSanitizer: $(build/asan-ubsan/tests/malformed_tests | tail -2)"
tests/fuzz/run.sh "$seconds"
tests/faults/run.sh build/dev/ltz build/dev/tests/libfault_preload.so build/dev/tests/corruption
MODEL='' tests/same_bytes.sh build/release/ltz build/dev/ltz build/clang/ltz
echo "A thousand loads; eight threads with one model under ThreadSanitizer: $(build/tsan/tests/load_tests | tail -2)"
# A gigabyte of text within a limit of memory.
line=$(head -c 1000 </dev/zero | tr '\0' 'x')
(
  ulimit -v 500000
  yes "$line" | head -n 1000000 | build/release/ltz translate tests/golden/iwslt-lightweight/checkpoint.pt --max-len-b 1 --threads 1
) | wc -l | sed 's/^/Lines of a gigabyte of text, translated in less than 500 MB: /'
