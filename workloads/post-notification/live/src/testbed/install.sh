#!/usr/bin/env bash
# Installs the servers of the local testbed: Debian packages (which takes root), and MiniStack in a virtual environment of
# its own in the user's data directory. Only what is missing is installed; with nothing missing it ends at once.
#
#   install-testbed          install what is missing
#   install-testbed --list   print the Debian packages that are missing, one a line
set -euo pipefail

ministack=1.5.33
pins=("ministack==$ministack" "aws-sam-translator==1.115.0" "cryptography==50.0.2")

# Under sudo, the testbed is the calling user's: its virtual environment belongs there.
user=${SUDO_USER:-}
if [ -n "$user" ] && [ "$(id -u)" = 0 ] && [ "$user" != root ]; then
  home=$(getent passwd "$user" | cut -d: -f6)
  data=$home/.local/share
  as_user=(sudo -u "$user" -H --)
else
  data=${XDG_DATA_HOME:-$HOME/.local/share}
  as_user=()
fi
venv=$data/matrix/ministack-$ministack

missing=()
have() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }
have mariadbd && have mariadb-install-db || missing+=(mariadb-server)
have redis-server || missing+=(redis-server)
[ -e /usr/share/activemq/bin/activemq.jar ] || missing+=(activemq)
have java || missing+=(openjdk-17-jre-headless)
have setpriv || missing+=(util-linux)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)

if [ "${1:-}" = --list ]; then
  [ ${#missing[@]} = 0 ] || printf '%s\n' "${missing[@]}"
  exit 0
fi

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || { echo "there is no apt-get here: install by hand: ${missing[*]}" >&2; exit 2; }
  if [ "$(id -u)" != 0 ]; then
    echo "installing ${missing[*]} needs root: run this command with sudo" >&2
    exit 2
  fi
  # Debian starts what it installs, now and at each boot. The testbed starts servers itself, on ports of its own: so
  # nothing is started now, and what was not there before is not started at boot either. A policy that an administrator
  # has made stays as it is, and decides.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "${missing[@]}"
  if command -v systemctl >/dev/null; then
    for package in "${missing[@]}"; do
      case $package in
        mariadb-server) systemctl disable mariadb.service ;;
        redis-server) systemctl disable redis-server.service ;;
      esac
    done
  fi
fi

# The stamp is written last: a virtual environment without it is half-made.
if [ "$(cat "$venv/installed" 2>/dev/null)" != "${pins[*]}" ]; then
  echo "installing ${pins[*]} in $venv"
  "${as_user[@]}" rm -rf "$venv"
  "${as_user[@]}" mkdir -p "$venv"
  "${as_user[@]}" python3 -m venv "$venv"
  "${as_user[@]}" "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check "${pins[@]}"
  printf '%s' "${pins[*]}" | "${as_user[@]}" tee "$venv/installed" >/dev/null
fi
echo "nothing (more) is missing"
