# Debian packages, by apt-get, and only when one is missing.

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this needs root and there is no sudo; run as root: $*"
  fi
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Prints the lines of the given groups of deps/debian-packages.txt.
listed_packages() {
  awk -v wanted=" $* " '
    { sub(/#.*/, ""); gsub(/^[ \t]+|[ \t]+$/, "") }
    /^\[.*\]$/ { group = substr($0, 2, length($0) - 2); next }
    NF && index(wanted, " " group " ")' deps/debian-packages.txt
}

# Prints those lines of which no alternative is installed.
missing_packages() {
  local line alternative
  listed_packages "$@" | while IFS= read -r line; do
    for alternative in ${line//|/ }; do
      is_installed "$alternative" && continue 2
    done
    echo "$line"
  done
}

# Prints the first alternative of a line that apt can install.
available_alternative() {
  local alternative
  for alternative in ${1//|/ }; do
    if apt-cache show --no-all-versions "$alternative" >/dev/null 2>&1; then
      echo "$alternative"
      return
    fi
  done
  fail "no package of this system is one of: $1. headrace needs Debian 12, Ubuntu 24.04 or newer"
}

install_debian_packages() {
  local lines=() line packages=() package
  command -v dpkg-query >/dev/null ||
    fail "this system has no dpkg. Install the counterparts of deps/debian-packages.txt yourself," \
      "then see scripts/install for the rest"
  mapfile -t lines < <(missing_packages "$@")
  [[ ${#lines[@]} == 0 ]] && return
  say "Reading the package lists of this system"
  quietly as_root apt-get update -q
  for line in "${lines[@]}"; do
    package=$(available_alternative "$line") || exit 1
    packages+=("$package")
  done
  say "Installing ${#packages[@]} Debian packages: ${packages[*]}"
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${packages[@]}"
}
