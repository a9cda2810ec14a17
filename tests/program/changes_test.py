#!/usr/bin/env python3
"""What `headrace check` finds, and how a running server takes up changed files: the right ones at once, the broken ones
never, while what it had goes on."""

import json
import unittest

from project import ProjectTest

# A replacement in one file of the new project, and what must be said of it: line, and a part of the message.
MISTAKES = [
    ("jobs/events.yaml", "where: amount", "were: amount", 34, "nodes.valid.were: unknown field", "did you mean 'where'?"),
    ("jobs/events.yaml", "type: filter", "type: fliter", 32, "there is no node type 'fliter'", "did you mean 'filter'?"),
    ("jobs/events.yaml", "input: valid", "input: vald", 41, "there is no node 'vald'", "did you mean 'valid'?"),
    ("jobs/events.yaml", "wait: 50ms", "wait: 50 parsecs", 3, "wants a duration, found '50 parsecs'", "write one as 50ms"),
    ("jobs/events.yaml", "records: 50000", "records: -1", 3, "batch.records: must be at least 1", None),
    ("jobs/events.yaml", "where: amount >= 0", "where: amont >= 0", 32, '"amont" not found', None),
    ("jobs/events.yaml", "where: amount >= 0", 'where: "amount >= "', 32, "syntax error", None),
    ("jobs/events.yaml", "where: amount >= 0", "where: kind >= 0 AND nosuch(kind)", 32, "nosuch does not exist", None),
    ("jobs/events.yaml", "id: bigint", "id: bigit", 20, "bigit", None),
    ("jobs/events.yaml", "  bronze:\n", "\tbronze:\n", 12, "not valid YAML", "indented by a tab"),
    ("jobs/events.yaml", "day(time)", "dya(time)", 40, "dya is no transform", None),
    ("jobs/events.yaml", "day(time)", "day(kind)", 40, "day", None),
    ("jobs/events.yaml", "day(time)", "day(tme)", 40, 'there is no column "tme"', None),
    ("views/events_per_minute.sql", "sum(amount) AS amount", "sum(amont) AS amount", 9, '"amont" not found', None),
    ("views/events_per_minute.sql", "sum(amount)", "mode(amount)", 9, "mode cannot be kept up to date", None),
    ("views/events_per_minute.sql", "GROUP BY kind, minute", "GROUP BY kind minute", 11, "syntax error", None),
    ("headrace.yaml", "memory: 512MiB", "memory: lots", 12, "wants a size in bytes, found 'lots'", "write one as 4096"),
    ("headrace.yaml", '"127.0.0.1:8642"', '"0.0.0.0:8642"', 9, "can be reached from other machines", "add token"),
    ("topics/events.yaml", "partitions: 1 ", "partitions: 0 ", 10, "partitions: must be at least 1", None),
    ("topics/events.yaml", "compression: lz4", "compression: lz5", 11, "found 'lz5'", "did you mean 'lz4'?"),
    ("sources/sample.yaml", "mode: once", "mode: wach", 7, "found 'wach'", "did you mean 'watch'?"),
    ("sources/sample.yaml", "type: files", "type: flies", 3, "there is no source type 'flies'", "did you mean 'files'?"),
]


class ChangesTest(ProjectTest):
    def change(self, path, before, after):
        text = (self.project / path).read_text()
        self.assertIn(before, text)
        self.write(path, text.replace(before, after))
        return text

    def problems(self):
        return json.loads(self.run_command("check", "--json").stdout)["problems"]

    def test_check_names_file_line_and_what_to_do(self):
        for path, before, after, line, message, suggestion in MISTAKES:
            with self.subTest(after=after):
                right = self.change(path, before, after)
                done = self.run_command("check")
                errors = [problem for problem in self.problems() if problem["severity"] == "error"]
                self.write(path, right)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertEqual([(problem["path"], problem["line"]) for problem in errors], [(path, line)], errors)
                self.assertIn(message, errors[0]["message"])
                self.assertIn(f"{path}:{line}: error: {errors[0]['message']}\n", done.stdout)
                if suggestion is not None:
                    self.assertIn(suggestion, errors[0]["suggestion"])
                    self.assertIn(f"\n  {errors[0]['suggestion']}\n", done.stdout)

    def test_check_tells_all_mistakes_of_all_files_at_once(self):
        for path, before, after in [("headrace.yaml", "memory: 512MiB", "memory: lots"),
                                    ("jobs/events.yaml", "type: filter", "type: fliter"),
                                    ("sources/sample.yaml", "mode: once", "mode: wach"),
                                    ("topics/events.yaml", "compression: lz4", "compression: lz5")]:
            self.change(path, before, after)
        files = [problem["path"] for problem in self.problems()]
        self.assertEqual(sorted(files), ["headrace.yaml", "jobs/events.yaml", "sources/sample.yaml", "topics/events.yaml"])

    def test_check_warns_of_what_may_come_from_elsewhere(self):
        self.change("views/events_per_minute.sql", "FROM silver.events", "FROM silver.evnts")
        done = self.run_command("check")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("warning: no job or view of this project writes what it reads", done.stdout)

    def test_a_misspelt_setting_of_a_view_is_no_comment(self):
        self.change("views/events_per_minute.sql", "-- table:", "-- tabel:")
        self.assertIn("did you mean 'table'?", [problem.get("suggestion") for problem in self.problems()])

    def test_views_that_read_each_other_are_named(self):
        self.write("views/a.sql", "-- table: gold.a\nSELECT n, count(*) AS m FROM gold.b GROUP BY n\n")
        self.write("views/b.sql", "-- table: gold.b\nSELECT m, count(*) AS n FROM gold.a GROUP BY m\n")
        [problem] = self.problems()
        self.assertEqual((problem["path"], problem["line"], problem["severity"]), ("views/a.sql", 2, "error"))
        self.assertIn("in a circle cannot be: a reads b reads a", problem["message"])

    def test_windows_of_views_are_checked(self):
        view = """-- table: gold.hops
-- watermark: 5m
-- emit: on_close
SELECT hop(time, INTERVAL 1 MINUTE, INTERVAL 5 MINUTE) AS w, count(*) AS n
FROM silver.events GROUP BY ALL
"""
        self.write("views/hops.sql", view)
        self.assertEqual(self.problems(), [])
        for before, after, line, message in [
                ("hop(time,", "hop(kind,", 4, "a window is one of time, and kind is VARCHAR"),
                ("5 MINUTE", "5 SECOND", 4, "must be a whole number of slides"),
                ("-- watermark: 5m", "--", 3, "emit: needs a watermark"),
                ("hop(time, INTERVAL 1 MINUTE, INTERVAL 5 MINUTE)", "kind", 4, "needs one window among its keys")]:
            self.write("views/hops.sql", view.replace(before, after))
            found = self.problems()
            self.assertEqual([p["line"] for p in found], [line], found)
            self.assertIn(message, found[0]["message"])

    def test_jobs_are_checked_on_the_tables_and_files_of_each_other(self):
        self.write("data/kinds.csv", "kind,label\nview,looked\n")
        self.write("jobs/labels.yaml", """
nodes:
  events: {type: table, table: silver.events}
  kinds: {type: files, path: data/kinds.csv, format: csv}
  labelled: {type: join, inputs: [events, kinds], on: events.kind = kinds.kind, columns: {label: kinds.label}}
  out: {type: table, input: labelled, table: gold.labelled}
""")
        self.assertEqual(self.problems(), [])
        self.change("jobs/labels.yaml", "kinds.label}", "kinds.lable}")
        self.assertEqual([(p["line"], "lable" in p["message"]) for p in self.problems()], [(5, True)])
        self.change("jobs/labels.yaml", "kinds.csv", "kindz.csv")
        self.assertEqual([p["severity"] for p in self.problems()], ["warning"])
        self.assertIn("no file matches data/kindz.csv yet", self.problems()[0]["message"])

    def test_a_server_takes_up_what_is_right_and_refuses_what_is_not(self):
        self.serve()
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[17]])
        # Broken in its SQL alone: only compiling finds it.
        right = self.change("jobs/events.yaml", "where: amount >= 0", "where: amont >= 0")
        self.wait_for(lambda: len(self.run_json("status")["problems"]), 1)
        problem = self.run_json("status")["problems"][0]["message"]
        self.assertIn("the old ones go on", problem)
        self.assertIn("jobs/events.yaml:32", problem)
        self.assertIn("amont", problem)
        self.assertEqual(self.run_json("jobs")["jobs"][0]["state"], "running")
        self.run_well("send", "events", stdin='{"id":21,"time":"2026-01-06T10:16:20Z","kind":"view","user":"u","amount":1}\n')
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[18]])
        # Mended, and with a table more.
        self.write("jobs/events.yaml", right + """
  orders: {type: filter, input: valid, where: "kind = 'order'"}
  order_table: {type: table, input: orders, table: silver.orders}
""")
        self.wait_for_rows("SELECT count(*) FROM silver.orders", [[5]])
        self.wait_for(lambda: self.run_json("status")["problems"], [])
        self.assertEqual(self.rows("SELECT count(*) FROM silver.events"), [[18]])

    def test_partitions_that_were_added_by_hand_stay(self):
        self.serve()
        self.run_well("topics", "alter", "events", "--partitions", "3")
        self.assertEqual(self.stop(), 0)
        (self.project / ".headrace/server.json").unlink(missing_ok=True)
        self.serve()
        self.assertEqual(len(self.run_json("topics", "show", "events")["partitions"]), 3)
        self.assertIn("keeps its 3 partitions", self.run_json("status")["problems"][0]["message"])
        # And a change beside it is taken up all the same.
        self.write("topics/more.yaml", "partitions: 2\n")
        self.wait_for(lambda: "more" in [topic["name"] for topic in self.run_json("topics")["topics"]], True)
        self.assertEqual(self.run_json("jobs")["jobs"][0]["state"], "running")


if __name__ == "__main__":
    unittest.main()
