# ccache, shared by all checkouts on this machine: paths are made relative, so that the same source in
# another folder is found.

export CCACHE_DIR=${CCACHE_DIR:-${HEADRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headrace}/ccache}
export CCACHE_BASEDIR=$PWD
export CCACHE_NOHASHDIR=1
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}
