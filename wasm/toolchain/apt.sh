#!/bin/sh
# Installs the Debian packages named, if they are missing, as root or through sudo. Where neither is
# possible, says what to install and fails.
set -eu
missing=
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: please install what Debian calls:$missing" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root='sudo -n'
else
    echo "setup: please run as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "setup: apt-get install$missing" >&2
$root apt-get -qq update >&2
# shellcheck disable=SC2086  # $missing and $root are lists of words
DEBIAN_FRONTEND=noninteractive $root apt-get -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install $missing >&2
