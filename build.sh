#!/usr/bin/env bash
# Builds what is named, or all but the last two, by the rules of wasm/toolchain/rules.mk:
#
#   dist         dist/: the package and the page
#   native       build/native: the native tests, with sanitizers
#   wasm-tests   build/wasm: the tests that run in WebAssembly
#   bench        build/wasm: the benchmarks of kernels and sampling
#   debug        build/debug/*.wasm, for wasm_url: function names, source lines, checks
#
# Only what changed is built again. Compilers and npm packages that are missing are fetched first.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build dist
exec 9>build/lock
! command -v flock >/dev/null || flock 9 # one build at a time

# Writes standard input to a file unless the file has that content already: make would build again
# what depends on the file.
write_if_changed() {
    cat >"$1.new"
    if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

export CC="${CC:-clang-19}" EMCC="${EMCC:-}"
needs_wasm=true needs_native=true
case "$*" in
native) needs_wasm=false ;;
dist | debug | bench | 'dist bench') needs_native=false ;;
esac
if $needs_wasm; then
    node wasm/toolchain/setup.mjs
    EMCC=$(wasm/toolchain/find-emcc.sh)
fi
if $needs_native; then
    if [ "$CC" = clang-19 ] && command -v apt-get >/dev/null; then
        wasm/toolchain/apt.sh clang-19 libclang-rt-19-dev
    fi
    command -v "$CC" >/dev/null || {
        echo "build: $CC is missing; set CC to a C compiler with sanitizers" >&2
        exit 1
    }
    echo "$CC" | write_if_changed build/cc
fi
command -v make >/dev/null || wasm/toolchain/apt.sh make

# A source that was deleted changes no other file: the new list links everything again. Tests that
# were deleted must not run any more.
find src tests/native tests/wasm tests/bench/*.c wasm web demo -type f |
    LC_ALL=C sort | write_if_changed build/sources
[ ! build/sources -nt build/linked ] ||
    rm -f build/native/test_* build/wasm/*/tests/*/*.wasm build/debug/*.wasm
touch -r build/sources build/linked

if make -s -q -f wasm/toolchain/rules.mk "$@" 2>/dev/null; then
    echo 'build: nothing to do'
else
    make -s -j "$(getconf _NPROCESSORS_ONLN)" -f wasm/toolchain/rules.mk "$@"
fi
