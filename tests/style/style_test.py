"""Checks that the source tree is as it says of itself. Each test lists every place that breaks its rule."""

import re
import unittest

import source_tree as tree

# Which module touches which third-party library. Types of a library do not leave its module.
THIRD_PARTY = {
    "boost/json": {"base"},
    "boost/": {"http"},
    "fmt/": {"base"},
    "duckdb": {"engine"},
    "yaml-cpp/": {"config"},
    "sqlite3.h": {"store"},
    "libpq-fe.h": {"store"},
    "curl/": {"http"},
    "openssl/": {"objects"},
    "pugixml": {"objects"},
    "lz4": {"codec"},
    "zstd": {"codec"},
    "zlib.h": {"codec"},
    "prometheus/": {"telemetry"},
    "spdlog/": {"telemetry"},
    "simdjson": {"jobs", "server", "sources", "tables"},  # wherever a record is parsed
    "CLI/": {"cli"},
    "editline/": {"cli"},
    "re2/": {"jobs"},
    "roaring/": {"lake"},
    "rocksdb/": {"key_index"},
}
SYSTEM = re.compile(r"[a-z_0-9]+(\.h)?|(sys|arpa|netinet|linux)/[a-z_0-9]+\.h")
TEST_LIBRARY = re.compile(r"g(test|mock)/")

GRAB_BAG_FILE = re.compile(r"(^|[_/.-])(utils?|helpers?|commons?|managers?|misc)([_/.-]|$)")
GRAB_BAG_TYPE = re.compile(r"\b(?:class|struct|namespace)\s+(\w*(?:Utils?|Helpers?|Common|Manager)|utils?|helpers?)\b")
OPEN_END = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")

CODE = (".cc", ".h", ".py", ".sh", ".cmake")
MOST_LINES = 500


class StyleTest(unittest.TestCase):
    def assert_none(self, problems, rule):
        problems = list(problems)
        self.assertFalse(problems, f"\n{rule}\n  " + "\n  ".join(problems))

    def test_map_names_every_folder_and_no_other(self):
        on_map = re.findall(r"^- \[`(\w+)/`\]", tree.text("src/README.md"), re.MULTILINE)
        self.assertEqual(sorted(on_map), tree.folders(), "src/README.md is the map of the folders of src/")

    def test_every_module_has_a_readme(self):
        missing = (f"src/{name}/README.md" for name in tree.folders()
                   if not (tree.ROOT / "src" / name / "README.md").exists())
        self.assert_none(missing, "A module tells in its README what it owns. Missing:")

    def test_modules_have_no_cycle(self):
        cycles = (name for name in tree.folders() if name in tree.reachable(name))
        self.assert_none(cycles, "Modules link one way. In a cycle:")

    def test_modules_include_only_what_they_link(self):
        self.assert_none(self.unlinked_includes(), "A module includes what its CMakeLists.txt links:")

    def unlinked_includes(self):
        folders = set(tree.folders())
        for module in folders:
            allowed = tree.reachable(module) | {module}
            for test_link in tree.links(module)[1]:
                allowed_in_tests = tree.reachable(test_link) | {test_link}
                allowed = allowed | {f"{name} in tests" for name in allowed_in_tests}
            for path in tree.sources(module):
                for line, is_system, included in tree.includes(path):
                    target = included.split("/")[0]
                    if is_system or target not in folders or target in allowed:
                        continue
                    if tree.is_test(path) and f"{target} in tests" in allowed:
                        continue
                    yield f"{path}:{line} includes {included}, but src/{module}/CMakeLists.txt has no link to {target}"

    def test_test_support_stays_in_tests(self):
        wrong = (f"{path}:{line} includes {included}"
                 for module in tree.folders() for path in tree.sources(module) if not tree.is_test(path)
                 for line, _, included in tree.includes(path) if "/testing/" in included)
        self.assert_none(wrong, "Only tests include test support:")

    def test_third_party_headers_stay_in_their_module(self):
        self.assert_none(self.foreign_includes(), "A third-party library is touched in one module:")

    def foreign_includes(self):
        for module in tree.folders():
            for path in tree.sources(module):
                for line, is_system, included in tree.includes(path):
                    owners = next((o for prefix, o in THIRD_PARTY.items() if included.startswith(prefix)), None)
                    if owners is not None:
                        if module not in owners:
                            yield f"{path}:{line} includes {included}, which belongs to {', '.join(sorted(owners))}"
                    elif is_system and not SYSTEM.fullmatch(included):
                        if not (tree.is_test(path) and TEST_LIBRARY.match(included)):
                            yield f"{path}:{line} includes {included}, which has no owner in tests/style/style_test.py"

    def test_nothing_is_a_grab_bag(self):
        named = [str(path) for path in tree.files() if GRAB_BAG_FILE.search(str(path))]
        typed = [f"{path}: {match.group(1)}" for path in tree.files(".cc", ".h")
                 for match in GRAB_BAG_TYPE.finditer(tree.text(path))]
        self.assert_none(named + typed, "Names say what a thing is; these say that it is a rest:")

    def test_files_are_of_one_idea(self):
        lengths = ((path, tree.text(path).count("\n")) for path in tree.files(*CODE))
        long = (f"{path}: {lines} lines" for path, lines in lengths if lines >= MOST_LINES)
        self.assert_none(long, f"A file has fewer than {MOST_LINES} lines:")

    def test_nothing_is_left_open(self):
        marked = (f"{path}:{number}" for path in tree.files(*CODE, ".md", ".txt", ".yaml", ".sql")
                  for number, line in enumerate(tree.text(path).splitlines(), 1) if OPEN_END.search(line))
        self.assert_none(marked, "What is to be done is done, or is an issue:")

    def test_headers_are_guarded(self):
        bare = (str(path) for path in tree.files(".h") if "#pragma once\n" not in tree.text(path))
        self.assert_none(bare, "A header begins with #pragma once:")


if __name__ == "__main__":
    unittest.main(verbosity=1)
