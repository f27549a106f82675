#!/bin/sh
# Unpacks Emscripten 3.1.69 into a folder; <folder>/emcc runs it. For Debian bookworm on x86-64. Of
# the system it changes only this: clang-19, lld-19 and llvm-19 are installed if they are missing.
#
# Bookworm's own Emscripten is too old: LLVM 14 has no relaxed dot product. The Emscripten of the
# next release, trixie, runs on any machine and needs LLVM 19, which bookworm has. Its optimizer,
# binaryen, is a native program and runs on trixie's C library, which is unpacked beside it.
set -eu
root=${1:?usage: get-emcc.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
fail() {
    echo "get-emcc: $1; instead, set EMCC to the emcc of an emsdk, 3.1.69 or later" \
        '(https://emscripten.org)' >&2
    exit 1
}
[ -f "$root/complete" ] && exit 0
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null ||
    fail "this works only on Debian on x86-64"

"$here/apt.sh" clang-19 lld-19 llvm-19 python3 ca-certificates
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
    awk '$2 == "bookworm" { print $1; exit }')
[ -n "$mirror" ] || fail "no Debian bookworm source is configured"

# A folder without the file `complete` is unfinished: start again.
rm -rf "$root"
mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/apt/parts" \
    "$root/debs" "$root/binaryen/bin" "$root/acorn"
root=$(cd "$root" && pwd)
echo "get-emcc: fetching Emscripten 3.1.69 (235 MB, once)" >&2

# apt with lists, status and cache in this folder: the system's are not changed.
: >"$root/apt/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror trixie main" >"$root/apt/sources.list"
apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$root/apt/sources.list" \
        -o Dir::Etc::sourceparts="$root/apt/parts" -o Dir::Etc::preferences=/dev/null \
        -o Dir::Etc::preferencesparts="$root/apt/parts" -o Dir::State="$root/apt" \
        -o Dir::State::lists="$root/apt/lists" -o Dir::State::status="$root/apt/status" \
        -o Dir::Cache="$root/apt/cache" \
        -o APT::Sandbox::User=root -o Acquire::Retries=3 "$@" >&2
}
apt update
(cd "$root/debs" && apt download emscripten binaryen libc6 libstdc++6 libgcc-s1 gcc-14-base)

# Of 1.7 GB only the libraries for C are kept, with and without threads and link-time optimization.
mkdir "$root/root"
for deb in "$root"/debs/*.deb; do
    dpkg --fsys-tarfile "$deb" | tar -x -C "$root/root" --exclude='*/doc/*' \
        --exclude='*/emscripten/test/*' --exclude='*/lib/wasm32-emscripten/*pic/*' \
        --exclude='*asan*' --exclude='*libsanitizer*' --exclude='*libGL-*emu*' \
        --exclude='*libGL-*ofb*' --exclude='*libGL-*es3*' \
        --exclude='*libwasmfs*' --exclude='*-except.a' --exclude='*-debug*.a'
done
for tool in "$root"/root/usr/bin/wasm-* "$root"/root/usr/bin/wasm2js; do
    wrapper=$root/binaryen/bin/$(basename "$tool")
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
        "$root/root/usr/lib64/ld-linux-x86-64.so.2" "$root/root/usr/lib/x86_64-linux-gnu" "$tool" \
        >"$wrapper"
    chmod +x "$wrapper"
done
npm install --silent --no-save --no-audit --no-fund --prefix "$root/acorn" acorn@8.15.0 >&2
emscripten=$root/root/usr/share/emscripten
mkdir -p "$emscripten/node_modules"
ln -sfn "$root/acorn/node_modules/acorn" "$emscripten/node_modules/acorn"

# The cache is frozen: every library comes with the package and none is built later.
for library in libc libemmalloc libcompiler_rt libstandalonewasm-memgrow \
    lto/libc lto/libemmalloc lto/libstandalonewasm-memgrow; do
    [ -f "$emscripten/cache/sysroot/lib/wasm32-emscripten/$library.a" ] ||
        fail "the package lacks $library.a"
done
cat >"$root/emscripten.py" <<CONFIG
LLVM_ROOT = '/usr/lib/llvm-19/bin'
BINARYEN_ROOT = '$root/binaryen'
NODE_JS = '$(command -v node)'
FROZEN_CACHE = True
CONFIG
for tool in emcc emar; do
    printf '#!/bin/sh\nEM_CONFIG="%s" exec "%s" "$@"\n' \
        "$root/emscripten.py" "$emscripten/$tool" >"$root/$tool"
done
chmod +x "$root/emcc" "$root/emar"
rm -rf "$root/debs" "$root/apt"
: >"$root/complete"
