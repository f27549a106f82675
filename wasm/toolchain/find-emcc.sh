#!/bin/sh
# In: $EMCC and PATH. Out: the path of an emcc that works, in build/emcc and on standard output: the user's own when it passes the probe, or the one that
# get-emcc.sh fetches. The answer is kept while $EMCC and PATH's emcc stay the same files.
set -eu
cd "$(dirname "$0")/../.."
own=$(command -v emcc || true)
identity() { # one line for each candidate: its path, and its size and time
    for candidate in ${EMCC:+"$EMCC"} ${own:+"$own"}; do
        printf '%s %s\n' "$candidate" "$(ls -lLn "$candidate" 2>/dev/null || true)"
    done
}
mkdir -p build
candidates=$(identity)
if [ -f build/emcc ] && [ -x "$(cat build/emcc)" ] && [ -f build/emcc.candidates ] && [ "$candidates" = "$(cat build/emcc.candidates)" ]; then
    cat build/emcc
    exit 0
fi

found=
for candidate in ${EMCC:+"$EMCC"} ${own:+"$own"}; do
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
# The objects depend on build/emcc: it is written only when it changes.
[ -f build/emcc ] && [ "$found" = "$(cat build/emcc)" ] || printf '%s\n' "$found" >build/emcc
printf '%s\n' "$candidates" >build/emcc.candidates
echo "$found"
