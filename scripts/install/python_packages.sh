# Python packages, each with its hash, into virtual environments under .deps/.

# install_python_packages ENVIRONMENT LIST: brings .deps/ENVIRONMENT level with deps/python/LIST.txt.
install_python_packages() {
  local environment=.deps/$1 list=deps/python/$2.txt stamp=.deps/stamps/$1-$2 state
  state=$(sha256sum <"$list")
  if [[ -x $environment/bin/python && -f $stamp && $(<"$stamp") == "$state" ]]; then
    return
  fi
  make_python_environment "$environment"
  say "Installing Python packages of $list"
  quietly "$environment/bin/pip" install --quiet --disable-pip-version-check --no-input \
    --require-hashes --cache-dir "$cache/pip" --requirement "$list"
  echo "$state" >"$stamp"
}

make_python_environment() {
  [[ -x $1/bin/pip ]] && return
  say "Making the Python environment $1"
  rm -rf "$1" ".deps/stamps/${1#.deps/}"-*
  quietly python3 -m venv "$1"
}
