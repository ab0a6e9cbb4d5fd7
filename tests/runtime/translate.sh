#!/usr/bin/env bash
# translate.sh COMMAND...: examples/translate.c, run by this command, must translate as translate.expected says, which is
# what `ltz translate --n-best 2` prints on x86-64. Scores may differ by 1e-4: other processors round otherwise.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../examples
head -10 "$examples/everyday.en" | "$@" "$examples/tatoeba-160/balanced.ltz" 2 |
  paste - "$here/translate.expected" | awk -F '\t' '
    $1 != $4 || $3 != $6 || ($2 - $5) ^ 2 > 1e-8 { print; wrong = 1 }
    END { exit wrong || NR != 20 }'
