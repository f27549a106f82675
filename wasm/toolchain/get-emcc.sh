#!/bin/sh
# In: a folder. Out: Emscripten 3.1.69 unpacked in it, ready for use with EM_CONFIG=<folder>/emscripten.py; it leaves the system as it was but for
# clang-19, lld-19 and llvm-19, which it installs when they are missing. Debian bookworm on x86-64.
#
# Bookworm's own Emscripten is too old (LLVM 14: no relaxed dot product). The one of the next release, trixie, is made for any machine and needs LLVM 19,
# which bookworm has. Only its optimizer, binaryen, is a native program; it runs on the C library of trixie, unpacked beside it.
set -eu
root=${1:?usage: get-emcc.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
fail() {
    echo "get-emcc: $1; set EMCC to the emcc of an emsdk, 3.1.69 or later (https://emscripten.org), instead" >&2
    exit 1
}
[ -f "$root/complete" ] && exit 0
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null || fail "only Debian on x86-64 is served"

"$here/apt.sh" clang-19 lld-19 llvm-19 python3 ca-certificates
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' | awk '$2 == "bookworm" { print $1; exit }')
[ -n "$mirror" ] || fail "no Debian bookworm source is configured"

# A half-finished folder has no file `complete`: begin anew.
rm -rf "$root"
mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/apt/parts" "$root/debs" "$root/binaryen/bin" "$root/acorn"
root=$(cd "$root" && pwd)
echo "get-emcc: fetching Emscripten 3.1.69 (235 MB, once)" >&2

# An apt of its own: its lists, status and cache lie in this folder, and the system's are not touched.
: >"$root/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$root/apt/sources.list"
apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$root/apt/sources.list" -o Dir::Etc::sourceparts="$root/apt/parts" \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$root/apt/parts" -o Dir::State="$root/apt" \
        -o Dir::State::lists="$root/apt/lists" -o Dir::State::status="$root/apt/status" -o Dir::Cache="$root/apt/cache" \
        -o APT::Sandbox::User=root -o Acquire::Retries=3 "$@" >&2
}
apt update
(cd "$root/debs" && apt download emscripten binaryen libc6 libstdc++6 libgcc-s1 gcc-14-base)

# Of 1.7 GB only the libraries for C are kept, with and without threads and link-time optimization.
mkdir "$root/root"
for deb in "$root"/debs/*.deb; do
    dpkg --fsys-tarfile "$deb" | tar -x -C "$root/root" --exclude='*/doc/*' --exclude='*/emscripten/test/*' --exclude='*/lib/wasm32-emscripten/*pic/*' \
        --exclude='*asan*' --exclude='*libsanitizer*' --exclude='*libGL-*emu*' --exclude='*libGL-*ofb*' --exclude='*libGL-*es3*' \
        --exclude='*libwasmfs*' --exclude='*-except.a' --exclude='*-debug*.a'
done
for tool in "$root"/root/usr/bin/wasm-* "$root"/root/usr/bin/wasm2js; do
    wrapper=$root/binaryen/bin/$(basename "$tool")
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$root/root/usr/lib64/ld-linux-x86-64.so.2" "$root/root/usr/lib/x86_64-linux-gnu" "$tool" \
        >"$wrapper"
    chmod +x "$wrapper"
done
npm install --silent --no-save --no-audit --no-fund --prefix "$root/acorn" acorn@8.15.0 >&2
emscripten=$root/root/usr/share/emscripten
mkdir -p "$emscripten/node_modules"
ln -sfn "$root/acorn/node_modules/acorn" "$emscripten/node_modules/acorn"

# The cache is frozen: every library comes with the package, and none is built on the way.
for library in libc libemmalloc libcompiler_rt libstandalonewasm-memgrow lto/libc lto/libemmalloc lto/libstandalonewasm-memgrow; do
    [ -f "$emscripten/cache/sysroot/lib/wasm32-emscripten/$library.a" ] || fail "the package lacks $library.a"
done
cat >"$root/emscripten.py" <<CONFIG
LLVM_ROOT = '/usr/lib/llvm-19/bin'
BINARYEN_ROOT = '$root/binaryen'
NODE_JS = '$(command -v node)'
FROZEN_CACHE = True
CONFIG
printf '#!/bin/sh\nEM_CONFIG="%s" exec "%s" "$@"\n' "$root/emscripten.py" "$emscripten/emcc" >"$root/emcc"
printf '#!/bin/sh\nEM_CONFIG="%s" exec "%s" "$@"\n' "$root/emscripten.py" "$emscripten/emar" >"$root/emar"
chmod +x "$root/emcc" "$root/emar"
rm -rf "$root/debs" "$root/apt"
: >"$root/complete"
