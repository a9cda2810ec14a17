"""The source tree as the style checks see it: its files, its modules and what they include."""

import functools
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
MODULE = re.compile(r"headrace_module\(\s*(\w+)(.*?)\)", re.DOTALL)
KEYWORDS = {"THREADED", "LINKS", "THIRD_PARTY", "PRIVATE_THIRD_PARTY", "TEST_LINKS", "EXTRA_SOURCES"}


@functools.cache
def files(*suffixes):
    """Every file of the tree that is ours, relative to its root; only those with a suffix if any is given."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [Path(line) for line in listed.splitlines() if not line.startswith("third_party/")]
    paths = [path for path in paths if (ROOT / path).is_file()]
    return [path for path in paths if not suffixes or path.suffix in suffixes]


def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def folders():
    """The folders of src/ that hold a file."""
    return sorted({path.parts[1] for path in files() if path.parts[0] == "src" and len(path.parts) > 2})


def sources(module):
    """The C++ files of a module."""
    return [path for path in files(".cc", ".h") if path.parts[:2] == ("src", module)]


def is_test(path):
    return any(part in ("tests", "testing", "fuzz") for part in path.parts[2:-1])


def includes(path):
    """Yields (line number, is a system include, included path)."""
    content = text(path)
    for match in INCLUDE.finditer(content):
        line = content.count("\n", 0, match.start(2)) + 1
        yield line, match.group(1) == "<", match.group(2)


@functools.cache
def links(module):
    """What a module's CMakeLists.txt links for the module, and beside it for its tests."""
    listed = {keyword: [] for keyword in KEYWORDS}
    path = Path("src") / module / "CMakeLists.txt"
    if not (ROOT / path).exists():
        return [], []
    for name, arguments in MODULE.findall(text(path)):
        keyword = None
        for word in arguments.split():
            if word in KEYWORDS:
                keyword = word
            elif keyword and name == module:
                listed[keyword].append(word)
    return listed["LINKS"], [link.removesuffix("_testing") for link in listed["TEST_LINKS"]]


def reachable(module):
    """The modules that a module links, directly or through another."""
    found, waiting = set(), [module]
    while waiting:
        for link in links(waiting.pop())[0]:
            if link not in found:
                found.add(link)
                waiting.append(link)
    return found
