#!/usr/bin/env bash
# runtime_only.sh BUILD C_COMPILER [EMULATOR...]: installs a build of the runtime alone, compiles the C example against what was
# installed, and has it translate.
set -euo pipefail
build=$1 compiler=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
PKG_CONFIG_LIBDIR=$(dirname "$(find "$work/prefix" -name ltz-runtime.pc)")
export PKG_CONFIG_LIBDIR
"$compiler" -std=c99 -Wall -Wextra -pedantic -Werror "$here/../../examples/translate.c" \
  $(pkg-config --cflags --libs ltz-runtime) -o "$work/translate"
"$here/../runtime/translate.sh" "$@" "$work/translate"
