#!/usr/bin/env bash
# Makes .venv ready: `bash .ci/setup.sh lab` for JupyterLab, `bash .ci/setup.sh test` for the checks.
# Run again it installs nothing: a stamp in .venv says what it was made of.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'trtlab: %s\n' "$*" >&2; }
stop() {
    say "$@"
    exit 1
}

# The supported range has one home, requires-python in pyproject.toml.
read -r lowest above < <(
    sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)"$/\1 \2/p' pyproject.toml
) || stop "cannot read requires-python in pyproject.toml"
range="3.$lowest to 3.$((above - 1))"

# The version of a Python as "3.11", or nothing where the name starts none.
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

is_supported() { [[ "$1" == 3.* ]] && ((${1#3.} >= lowest && ${1#3.} < above)); }

can_make_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Sets `python` and `version`, or says what is missing and stops.
find_python() {
    local candidates=(python3) unsuitable="" incomplete="" minor
    for ((minor = above - 1; minor >= lowest; minor--)); do candidates+=("python3.$minor"); done
    if [ -n "${PYTHON:-}" ]; then candidates=("$PYTHON"); fi
    for python in "${candidates[@]}"; do
        version=$(version_of "$python")
        if [ -z "$version" ]; then
            continue
        elif ! is_supported "$version"; then
            unsuitable+="${unsuitable:+, }$python is $version"
        elif can_make_environments "$python"; then
            return
        else
            incomplete=${incomplete:-$python}
        fi
    done
    if [ -n "$incomplete" ]; then
        stop "$incomplete cannot make virtual environments: its ensurepip is missing." \
            "On Debian and Ubuntu: sudo apt-get install $(basename "$incomplete")-venv"
    fi
    stop "Python $range is needed; ${unsuitable:-${PYTHON:-python3} does not start}." \
        "On Debian 12 or Ubuntu 22.04 and later: sudo apt-get install python3 python3-venv." \
        "Another one is used when named: PYTHON=/path/to/python3.$((above - 1)) make $1"
}

# Keeps .venv where it works and nobody asked for another Python.
make_environment() {
    local present
    present=$(version_of .venv/bin/python)
    if is_supported "$present" && [ -x .venv/bin/pip ]; then
        if [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$present" ]; then
            version=$present
            return
        fi
    fi
    find_python "$1"
    say "making .venv with $python ($version)"
    "$python" -m venv --clear .venv
}

# True where .venv was made of what `stamp` says, for this profile.
is_installed() { [ "$(cat ".venv/.trtlab-$1" 2>/dev/null)" = "$stamp" ]; }

install() {
    local profile=$1 extras=$2 stamp
    # An editable installation names this folder; pyproject.toml says everything else.
    stamp="$version $PWD $(cksum <pyproject.toml)"
    if is_installed "$profile" || is_installed test; then return; fi
    say "installing trtlab and what it needs into .venv (some minutes the first time)"
    # -qq leaves errors alone: warnings about the machine's pip settings are not for this place.
    .venv/bin/python -m pip install -qq --disable-pip-version-check --editable ".$extras"
    echo "$stamp" >".venv/.trtlab-$profile"
}

profile=${1:-}
case $profile in
lab)
    make_environment lab
    install lab ""
    ;;
test)
    make_environment test
    install test "[test]"
    if [ "${TRTLAB_NO_BROWSER:-}" = 1 ]; then
        say "the browser tests are left out: TRTLAB_NO_BROWSER=1"
    else
        # Where there is none the browser tests fail and say so; the other checks are still worth running.
        chromium=$(.venv/bin/python tests/browser/find_chromium.py --install) && say "browser tests use $chromium" || true
    fi
    ;;
*)
    stop "usage: bash .ci/setup.sh lab|test"
    ;;
esac
