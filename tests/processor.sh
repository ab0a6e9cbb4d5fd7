#!/usr/bin/env bash
# processor.sh LTZ: on a processor that is too old, the program says so and exits with 3; 77 where none can be emulated.
set -euo pipefail
ltz=$1
command -v qemu-x86_64 >/dev/null && [ "$(uname -m)" = x86_64 ] || exit 77
status=0
message=$(qemu-x86_64 -cpu core2duo "$ltz" --version 2>&1) || status=$?
[ $status = 3 ]
[ "$message" = "ltz: expected a processor with x86-64-v2 (of 2009 or later), found one without SSE4.1" ]
(qemu-x86_64 -cpu core2duo "$ltz" --version 2>&-) || [ $? = 3 ]
[[ $(qemu-x86_64 -cpu Nehalem "$ltz" --version) = ltz* ]]
