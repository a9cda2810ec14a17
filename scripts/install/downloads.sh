# Pinned downloads of deps/downloads.txt, by the registries' own clients, checked by SHA-256.

install_downloads() {
  local wanted=" $* " group client package sha256 member target
  while read -r -u 3 group client package sha256 member target; do
    [[ $group == \#* || -z $group || $wanted != *" $group "* ]] && continue
    install_member "$client" "$package" "$sha256" "$member" "$target"
  done 3<deps/downloads.txt
}

# Puts one member of a package at .deps/TARGET, unless it is there already.
install_member() {
  local client=$1 package=$2 sha256=$3 member=$4 target=.deps/$5
  local stamp=.deps/stamps/${5//\//-} archive=$cache/downloads/$sha256
  [[ -e $target && -f $stamp && $(<"$stamp") == "$sha256 $member" ]] && return
  if ! echo "$sha256  $archive" | sha256sum --check --status 2>/dev/null; then
    say "Downloading $package"
    download "$client" "$package" "$sha256" "$archive"
  fi
  say "Unpacking $target"
  mkdir -p "$(dirname "$target")"
  if [[ $member == */ ]]; then
    unpack_folder "$archive" "$member" "$target"
  else
    # By rename, so that a program which has the old file mapped keeps it.
    unpack_member "$archive" "$member" >"$target.new"
    mv "$target.new" "$target"
  fi
  echo "$sha256 $member" >"$stamp"
}

# A folder of a gzipped tar. All of it is unpacked on the way: files may be hard links to others.
unpack_folder() {
  local folder
  folder=$(mktemp -d .deps/unpack.XXXXXX)
  tar --extract --gzip --directory "$folder" --file "$1"
  rm -rf "$3"
  mv "$folder/${2%/}" "$3"
  rm -rf "$folder"
}

# A gzipped tar, as npm has it, or a zip, as wheels and jars are; "." is the archive itself.
unpack_member() {
  if [[ $2 == . ]]; then
    cat "$1"
  elif [[ $(head -c 2 "$1") == PK ]]; then
    unzip -p "$1" "$2"
  else
    tar --extract --gzip --to-stdout --file "$1" "$2"
  fi
}

# Fetches a package and moves it to ARCHIVE, once its checksum is right.
download() {
  local client=$1 package=$2 sha256=$3 archive=$4 folder found
  mkdir -p "$(dirname "$archive")"
  folder=$(mktemp -d "$cache/download.XXXXXX")
  "download_by_$client" "$package" "$folder"
  found=$(find "$folder" -maxdepth 1 -type f | head -n 1)
  [[ -n $found ]] || fail "$client brought no file for $package; is the network up?"
  if ! echo "$sha256  $found" | sha256sum --check --status; then
    fail "$package has another checksum than deps/downloads.txt says: $(sha256sum <"$found")." \
      "Do not use it; look at who changed it. The file is kept at $found"
  fi
  mv "$found" "$archive"
  rm -rf "$folder"
}

download_by_npm() {
  local npm=npm
  if ! command -v npm >/dev/null; then
    install_python_packages npm npm
    npm=$PWD/.deps/npm/bin/npm
    PATH=$PWD/.deps/npm/bin:$PATH
  fi
  quietly "$npm" pack --silent --pack-destination "$2" "$1"
}

download_by_pip() {
  make_python_environment .deps/python
  quietly .deps/python/bin/pip download --quiet --disable-pip-version-check --no-deps --dest "$2" "$1"
}

download_by_maven() {
  command -v mvn >/dev/null || install_debian_packages maven
  quietly mvn --quiet --batch-mode "-Dmaven.repo.local=$2/repository" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get -Dtransitive=false "-Dartifact=$1"
  local group artifact version packaging classifier
  IFS=: read -r group artifact version packaging classifier <<<"$1"
  cp "$2/repository/${group//.//}/$artifact/$version/$artifact-$version${classifier:+-$classifier}.$packaging" "$2/"
}
