#!/bin/sh
# Writes the path of an emcc that works to build/emcc and to standard output: $EMCC or PATH's emcc
# if it passes the probe, or else the one that get-emcc.sh fetches. The answer is kept as long as
# $EMCC and PATH's emcc are the same files.
set -eu
cd "$(dirname "$0")/../.."
on_path=$(command -v emcc || true)
identity() { # one line for each candidate: path, size and time
    for candidate in ${EMCC:+"$EMCC"} ${on_path:+"$on_path"}; do
        printf '%s %s\n' "$candidate" "$(ls -lLn "$candidate" 2>/dev/null || true)"
    done
}
mkdir -p build
candidates=$(identity)
if [ -f build/emcc ] && [ -x "$(cat build/emcc)" ] && [ -f build/emcc.candidates ] &&
    [ "$candidates" = "$(cat build/emcc.candidates)" ]; then
    cat build/emcc
    exit 0
fi

found=
for candidate in ${EMCC:+"$EMCC"} ${on_path:+"$on_path"}; do
    if node wasm/toolchain/probe.mjs "$candidate"; then
        found=$(command -v "$candidate")
        break
    fi
done
if [ -z "$found" ]; then
    found=$PWD/build/toolchain/emcc
    [ -f build/toolchain/complete ] && [ -x "$found" ] || wasm/toolchain/get-emcc.sh build/toolchain
    node wasm/toolchain/probe.mjs "$found"
fi
# The objects depend on build/emcc: write it only if it changes.
[ -f build/emcc ] && [ "$found" = "$(cat build/emcc)" ] || printf '%s\n' "$found" >build/emcc
printf '%s\n' "$candidates" >build/emcc.candidates
echo "$found"
