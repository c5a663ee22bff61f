#!/bin/sh
# Make the virtual environment and put in what is missing. Quiet and quick when nothing is.
#   setup.sh PYTHON VENV LOCK
set -eu
python=$1
venv=$2
lock=$3

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

[ -n "$python" ] || die "Gatescope needs Python 3.11 or newer, and found none. Install it: apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "Gatescope needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Say which: make PYTHON=/path/to/python3.11 …"

# --- libraries of the system -------------------------------------------------------------------------------------
# What a PySide6 wheel loads but does not carry, by the Debian package that has it.
missing_packages() {
    command -v ldconfig >/dev/null 2>&1 || PATH=$PATH:/sbin:/usr/sbin
    have=$(ldconfig -p 2>/dev/null || true)
    while read -r library package; do
        case $have in *"$library"*) ;; *) printf '%s ' "$package" ;; esac
    done <<LIST
libEGL.so.1 libegl1
libGL.so.1 libgl1
libfontconfig.so.1 libfontconfig1
libxkbcommon.so.0 libxkbcommon0
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libdbus-1.so.3 libdbus-1-3
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-image.so.0 libxcb-image0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-xkb.so.1 libxcb-xkb1
libglib-2.0.so.0 libglib2.0-0
LIST
}

install_packages() {
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo=sudo; else
            die "These packages of the system are needed and not here. Put them in, then try again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
        fi
    fi
    echo "Installing from the system's packages: $*"
    $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        die "apt-get could not install: $*"
}

if [ "$(uname -s)" = Linux ]; then
    packages=$(missing_packages)
    if [ -n "$packages" ]; then
        if command -v apt-get >/dev/null 2>&1; then
            # shellcheck disable=SC2086 # a list of names
            install_packages $packages
        else
            echo "These libraries of the system were not found; the desktop may not open without them (names as in Debian): $packages" >&2
        fi
    fi
fi

# --- Python packages ---------------------------------------------------------------------------------------------
if [ ! -x "$venv/bin/python" ]; then
    echo "Making $venv with $("$python" -V 2>&1)"
    "$python" -m venv "$venv" >/dev/null 2>&1 || {
        rm -rf "$venv"
        if command -v apt-get >/dev/null 2>&1; then install_packages python3-venv; fi
        "$python" -m venv "$venv" || die "Could not make a virtual environment. Install it: apt-get install python3-venv"
    }
fi

# One stamp for each lock, holding the lock's own digest; the test lock holds all that the other one does.
digest=$(cat requirements.lock requirements-test.lock pyproject.toml | cksum)
stamp="$venv/.installed-$(basename "$lock")"
for done in "$stamp" "$venv/.installed-requirements-test.lock"; do
    if [ -f "$done" ] && [ "$(cat "$done")" = "$digest" ]; then exit 0; fi
done
echo "Installing locked packages from $lock"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
"$venv/bin/python" packaging/link.py
printf '%s\n' "$digest" >"$stamp"
