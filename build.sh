#!/usr/bin/env bash
# In: the sources, and what to build: dist (the package and the page), native (the tests, sanitizers on), wasm-tests, bench (the kernels' benchmark);
# nothing named: all but the last.
# Out: dist/ and build/, by the rules and flags of wasm/toolchain/rules.mk. Only what changed is built again; the first time, what is missing of the compilers
# and npm packages is fetched.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build dist
exec 9>build/lock
! command -v flock >/dev/null || flock 9 # one build at a time

# Writes its input to the file, but leaves an equal file alone: what depends on it is not built again.
keep() {
    cat >"$1.new"
    if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

export CC="${CC:-clang-19}" EMCC="${EMCC:-}"
if [ "$*" != native ]; then
    node wasm/toolchain/setup.mjs
    EMCC=$(wasm/toolchain/find-emcc.sh)
fi
if [ "$*" != dist ] && [ "$*" != "dist bench" ]; then
    if [ "$CC" = clang-19 ] && command -v apt-get >/dev/null; then wasm/toolchain/apt.sh clang-19 libclang-rt-19-dev; fi
    command -v "$CC" >/dev/null || { echo "build: $CC is missing; set CC to a C compiler with sanitizers" >&2 && exit 1; }
    echo "$CC" | keep build/cc
fi
command -v make >/dev/null || wasm/toolchain/apt.sh make

# A source that goes changes no file that stays: a new list links everything again, and old tests must not stay behind.
find src tests/native tests/wasm tests/bench/*.c wasm web demo -type f | LC_ALL=C sort | keep build/sources
[ ! build/sources -nt build/linked ] || rm -f build/native/test_* build/wasm/*/tests/*/*.wasm
touch -r build/sources build/linked

if make -s -q -f wasm/toolchain/rules.mk "$@" 2>/dev/null; then
    echo 'build: nothing to do'
else
    make -s -j "$(getconf _NPROCESSORS_ONLN)" -f wasm/toolchain/rules.mk "$@"
fi
