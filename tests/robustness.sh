#!/usr/bin/env bash
# robustness.sh SECONDS [MODEL.ltz]: tries to break ltz in every way that is known here and prints what was tried: attacks
# made by hand, fuzzing of every decoder for so many SECONDS, faults under every command that writes, damages to the .ltz
# (default: a small one), everything that might change the bytes of an artifact, load. Takes hours. Needs what .ci/run
# installs, and what fuzz/run.sh needs.
#   KILLS=N ALLOCATIONS=N DAMAGES=N QUICK=1  as faults/run.sh has them
#   INPUTS=N                                 as fuzz/run.sh has it
set -euo pipefail
seconds=$1
export MODEL=${2:+$(readlink -f "$2")}
cd "$(dirname "$0")/.."
build() { # preset, target
  cmake --preset "$1" >/dev/null && cmake --build --preset "$1" --target "$2" >/dev/null
}
build dev all
build release ltz
build clang ltz
build asan-ubsan malformed_tests
build tsan load_tests

attacks=$(build/asan-ubsan/tests/malformed_tests | tail -2)
echo "Attacks made by hand, with AddressSanitizer and UndefinedBehaviorSanitizer: $attacks"
tests/fuzz/run.sh "$seconds"
tests/faults/run.sh build/dev/ltz build/dev/tests/libfault_preload.so build/dev/tests/corruption
MODEL='' tests/same_bytes.sh build/release/ltz build/dev/ltz build/clang/ltz
loads=$(build/dev/tests/load_tests | tail -2)
# The threads of OpenMP are not instrumented: what they hand over would be reported.
races=$(OMP_NUM_THREADS=1 build/tsan/tests/load_tests "eight*" | tail -2)
echo "A thousand loads, and eight threads with one model: $loads"
echo "The eight threads under ThreadSanitizer: $races"
# A gigabyte of text within a limit of memory.
line=$(head -c 1000 </dev/zero | tr '\0' 'x')
(
  ulimit -v 500000
  yes "$line" | head -n 1000000 | build/release/ltz translate tests/golden/iwslt-lightweight/checkpoint.pt --max-len-b 1 --threads 1
) | wc -l | sed 's/^/Lines of a gigabyte of text, translated in less than 500 MB: /'
