# Programs of deps/go-programs.txt, built once on a machine and kept in the cache.

install_go_programs() {
  local wanted=" $* " group program package
  while read -r -u 3 group program package; do
    [[ $group == \#* || -z $group || $wanted != *" $group "* ]] && continue
    install_go_program "$program" "$package"
  done 3<deps/go-programs.txt
}

install_go_program() {
  local program=$1 package=$2 stamp=.deps/stamps/bin-$1 built=$cache/go/${2//\//-}
  [[ -x .deps/bin/$program && -f $stamp && $(<"$stamp") == "$package" ]] && return
  if [[ ! -x $built/$program ]]; then
    command -v go >/dev/null ||
      fail "$program is built from Go sources, and there is no go (1.25 or newer) here. Install it first"
    say "Building $package (a few minutes, once)"
    mkdir -p "$cache/go"
    quietly env CGO_ENABLED=0 GOFLAGS=-trimpath GOBIN="$built.new" go install "$package"
    mv -T "$built.new" "$built"
  fi
  mkdir -p .deps/bin
  # By rename, so that a server which runs keeps its file.
  cp "$built/$program" ".deps/bin/$program.new"
  mv ".deps/bin/$program.new" ".deps/bin/$program"
  echo "$package" >"$stamp"
}
