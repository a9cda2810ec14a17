#!/usr/bin/env python3
"""Every command against a real server and without one: JSON where it is asked for, exit codes that mean something, and a
way out of each mistake."""

import json
import signal
import socket
import subprocess
import unittest

from project import BINARY, PATIENCE_S, ProjectTest

EVENT = '{"id":%d,"time":"2026-01-07T00:00:00Z","kind":"view","user":"u","amount":1}\n'

# Each command with what its one JSON document must have.
JSON_COMMANDS = [
    (["status"], "jobs"),
    (["topics"], "topics"),
    (["topics", "list"], "topics"),
    (["topics", "show", "events"], "partitions"),
    (["topics", "create", "extra"], "config"),
    (["topics", "alter", "extra", "--partitions", "2"], "config"),
    (["topics", "delete", "extra", "--yes"], None),
    (["tables"], "tables"),
    (["tables", "commit"], "committed"),
    (["tables", "show", "silver.events"], "schema"),
    (["tables", "files", "silver.events"], "files"),
    (["tables", "history", "silver.events"], "snapshots"),
    (["tables", "optimize", "silver.events"], "merges"),
    (["tables", "expire", "silver.events"], "snapshots_removed"),
    (["jobs"], "jobs"),
    (["jobs", "show", "events"], "nodes"),
    (["jobs", "pause", "events"], "state"),
    (["jobs", "resume", "events"], "state"),
    (["deadletters"], "dead_letters"),
    (["deadletters", "list", "--job", "events"], "dead_letters"),
    (["deadletters", "show", "events", "0", "7"], "reason"),
    (["deadletters", "replay", "events", "--reason-like", "%none of these%"], "replayed"),
    (["check"], "valid"),
    (["version"], "version"),
    (["tail", "events", "-n", "1"], "offset"),
]

# Exit code, command, and what must be in the message.
MISTAKES = [
    (2, ["statsu"], "did you mean: status?"),
    (2, ["topics", "lst"], "did you mean: list?"),
    (2, ["sql", "--fromat", "csv"], "did you mean: --format?"),
    (3, ["tail", "none"], "there is no topic 'none'; there are: events"),
    (3, ["send", "none"], "there is no topic 'none'"),
    (3, ["send", "events", "none.ndjson"], "none.ndjson: No such file"),
    (3, ["topics", "show", "none"], "there is no topic 'none'"),
    (3, ["tables", "show", "silver.none"], "silver.events"),
    (2, ["tables", "show", "none"], "database.table"),
    (3, ["jobs", "show", "none"], "there are: events"),
    (3, ["jobs", "pause", "none"], "there are: events"),
    (5, ["run", "events"], "streaming mode"),
    (3, ["run", "none"], "there are: events"),
    (3, ["deadletters", "list", "--job", "none"], "there are: events"),
    (3, ["deadletters", "show", "events", "0", "1"], "no dead letter"),
    (2, ["topics", "create", "bad name"], "is not a topic name"),
    (4, ["topics", "create", "events"], "it exists"),
    (2, ["topics", "delete", "events"], "--yes"),
    (5, ["topics", "delete", "events", "--yes"], "being read by job:events"),
    (2, ["sql", "SELEC 1"], 'syntax error at or near "SELEC"'),
    (3, ["sql", "FROM silver.evnts"], 'Did you mean "events"?'),
    (2, ["sql", "SELECT amont FROM silver.events"], 'Candidate bindings: "amount"'),
    (2, ["sql", "DROP TABLE silver.events"], "queries only read"),
    (2, ["sql", "SELECT 1", "--format", "parquet"], "-o result.parquet"),
    (3, ["sql", "SELECT 1", "--format", "parquet", "-o", "none/x.parquet"], "No such file"),
    (7, ["sql", "SELECT count(*) FROM range(1000000000) a, range(1000000000) b", "--timeout-ms", "50"], "50 ms"),
    (4, ["init", "."], "is there already"),
    (5, ["serve"], "a server runs for it already"),
    (3, ["-C", "/", "status"], "headrace init"),
    (69, ["--server", "http://127.0.0.1:1", "status"], "127.0.0.1:1"),
]


class CommandsTest(ProjectTest):
    def test_json_of_every_command(self):
        self.serve()
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[17]])
        for command, member in JSON_COMMANDS:
            with self.subTest(command=command):
                document = self.run_json(*command)
                if member is not None:
                    self.assertIn(member, document)
        sent = self.run_json("send", "events", stdin=EVENT % 21)
        self.assertEqual(sent["records"], 1)
        self.assertEqual(self.run_json("sql", "SELECT 1 AS a, NULL AS b"), [{"a": 1, "b": None}])
        failed = self.run_command("tail", "none", "--json")
        self.assertEqual(json.loads(failed.stderr)["error"]["exit_code"], 3)
        letter = self.run_json("deadletters", "show", "events", "0", "7")
        self.assertEqual((letter["partition"], letter["offset"]), (0, 7))

    def test_mistakes_have_their_exit_code_and_say_what_to_do(self):
        self.serve()
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[17]])
        for code, command, message in MISTAKES:
            with self.subTest(command=command):
                self.assertIn(message, self.refused(code, *command))

    def test_sql_without_a_server_sees_what_is_committed(self):
        self.serve()
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[17]])
        self.run_well("send", "events", stdin=EVENT % 21)
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[18]])
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.rows("SELECT count(*) FROM silver.events"), [[18]])
        self.assertEqual(self.rows("SELECT count(*) FROM bronze.events"), [[21]])
        self.assertEqual(self.rows("SELECT sum(events)::BIGINT FROM gold.events_per_minute"), [[18]])
        self.assertEqual(self.run_json("topics")["topics"][0]["records"], 21)
        self.assertIn("start one with: headrace serve", self.refused(69, "send", "events", stdin="{}"))

    def test_results_in_every_format(self):
        self.serve()
        query = "SELECT id, kind FROM silver.events ORDER BY id LIMIT 2"
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[17]])
        self.assertEqual(self.run_well("sql", query, "--format", "csv"), "id,kind\r\n1,view\r\n2,view\r\n".replace("\r", ""))
        self.assertEqual(self.run_well("sql", query, "--format", "ndjson"), '{"id":1,"kind":"view"}\n{"id":2,"kind":"view"}\n')
        self.assertIn("id    1\n", self.run_well("sql", query, "--format", "vertical"))
        self.run_well("sql", query, "--format", "parquet", "-o", "two.parquet")
        self.run_well("sql", query, "--format", "arrow", "-o", "two.arrow")
        import pyarrow.ipc
        import pyarrow.parquet
        expected = {"id": [1, 2], "kind": ["view", "view"]}
        self.assertEqual(pyarrow.parquet.read_table(self.project / "two.parquet").to_pydict(), expected)
        with open(self.project / "two.arrow", "rb") as file:
            self.assertEqual(pyarrow.ipc.open_stream(file).read_all().to_pydict(), expected)
        self.run_well("sql", "-f", "-", stdin="SELECT 1;\nSELECT 2")

    def test_a_result_that_was_cut_is_no_success(self):
        self.serve()
        for output in (["--format", "csv"], ["--format", "json"], ["--format", "csv", "-o", "cut.csv"],
                       ["--format", "parquet", "-o", "cut.parquet"]):
            message = self.refused(2, "sql", "SELECT * FROM range(1000001)", *output)
            self.assertIn("1000000" if "parquet" in output[1] else "1,000,000", message)
        self.assertFalse((self.project / "cut.parquet").exists())
        # Who names a limit knows of it.
        self.assertEqual(self.run_well("sql", "SELECT * FROM range(100)", "--format", "csv", "--max-rows", "1"), "range\n0\n")

    def test_a_job_in_batch_mode_runs_with_a_server_and_without(self):
        self.change_job_to_batch()
        first = self.run_json("run", "events")
        self.assertEqual((first["records"], first["dead_letters"]), (0, 0))  # nothing has fed the topic yet
        self.serve()
        self.wait_for(lambda: self.run_json("topics")["topics"][0]["records"], 20)
        second = self.run_json("run", "events")
        self.assertEqual((second["records"], second["dead_letters"]), (20, 3))
        self.assertIn({"name": "silver.events", "rows": 17}, second["tables"])
        self.run_well("send", "events", stdin=EVENT % 21)
        self.assertEqual(self.run_json("run", "events")["records"], 1)
        self.assertIn("events: 0 records", self.run_well("run", "events"))
        self.assertEqual(self.run_json("jobs")["jobs"][0]["state"], "finished")
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.run_json("run", "events")["records"], 0)
        self.assertEqual(self.rows("SELECT count(*) FROM silver.events"), [[18]])

    def change_job_to_batch(self):
        job = self.project / "jobs/events.yaml"
        job.write_text(job.read_text().replace("mode: streaming", "mode: batch"))

    def test_a_token_is_asked_for_and_given(self):
        settings = self.project / "headrace.yaml"
        settings.write_text(settings.read_text().replace('listen: "127.0.0.1:8642"',
                                                         'listen: "127.0.0.1:8642"\n  token: "${SHOP_TOKEN}"'))
        self.assertIn("SHOP_TOKEN", self.refused(2, "serve", "--listen", "127.0.0.1:0"))
        self.serve(SHOP_TOKEN="open sesame")
        url = f"http://127.0.0.1:{self.port}"
        self.assertIn("events", self.run_well("topics", SHOP_TOKEN="open sesame"))
        self.assertIn("token", self.refused(77, "--server", url, "topics", cwd=self.folder))
        self.assertIn("token", self.refused(77, "--server", url, "--token", "wrong", "topics", cwd=self.folder))
        self.run_well("--server", url, "topics", cwd=self.folder, HEADRACE_TOKEN="open sesame")
        self.assertNotIn("open sesame", self.run_well("sql", "FROM system.settings", SHOP_TOKEN="open sesame"))

    def test_only_with_a_token_outside_loopback(self):
        message = self.refused(77, "serve", "--listen", "0.0.0.0:0")
        self.assertIn("outside loopback the server needs a token; set server.token", message)
        self.assertNotIn("hint", message)

    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertIn(str(port), self.refused(69, "serve", "--listen", f"127.0.0.1:{port}"))
        # Nothing of it is left behind that would keep the next one out.
        self.serve()
        self.assertEqual(self.stop(), 0)

    def test_ctrl_c_ends_cleanly(self):
        self.serve()
        tail = subprocess.Popen([BINARY, "tail", "events", "-f", "--from", "earliest"], cwd=self.project,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        self.assertIn('"id":1,', tail.stdout.readline())
        tail.send_signal(signal.SIGINT)
        _, errors = tail.communicate(timeout=PATIENCE_S)
        self.assertEqual((tail.returncode, errors), (0, ""))
        query = subprocess.Popen([BINARY, "sql", "SELECT count(*) FROM range(1000000000) a, range(1000000000) b"],
                                 cwd=self.project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=self.environment())
        self.wait_for(lambda: len(self.get("/v1/queries")["queries"]), 1)
        query.send_signal(signal.SIGINT)
        _, errors = query.communicate(timeout=PATIENCE_S)
        self.assertEqual(query.returncode, 130)
        self.assertIn("cancelled", errors)
        self.wait_for(lambda: self.get("/v1/queries")["queries"], [])
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.rows("SELECT count(*) FROM system.files WHERE \"table\" = 'silver.events'"), [[2]])

    def test_a_server_that_was_killed_is_not_taken_for_a_running_one(self):
        self.serve()
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[17]])
        self.run_well("tables", "commit")
        self.server.send_signal(signal.SIGKILL)
        self.server.wait(PATIENCE_S)
        self.assertTrue((self.project / ".headrace/server.json").exists())
        self.assertEqual(self.rows("SELECT count(*) FROM silver.events"), [[17]])
        self.assertIn("not running", self.run_well("status"))
        self.run_well("run", "events")

    def test_dead_letters_of_several_topics_are_told_apart(self):
        self.serve()
        self.wait_for_rows("SELECT count(*) FROM system.dead_letters", [[3]])
        self.run_well("send", "events", "--format", "text", stdin="no JSON\n")
        self.wait_for_rows("SELECT count(*) FROM system.dead_letters", [[4]])
        self.assertEqual(self.run_json("deadletters", "replay", "events")["replayed"], 4)
        self.wait_for_rows("SELECT count(*) FROM system.dead_letters", [[8]])
        # What was sent again was refused again, at offsets of the topic that it was sent again through.
        self.run_well("deadletters", "show", "events", "0", "7", "--topic", "events")
        retried = self.run_json("deadletters", "show", "events", "0", "3", "--topic", "headrace.retry.events")
        self.assertEqual(retried["value"], "no JSON")
        self.assertIn("no dead letter",
                      self.refused(3, "deadletters", "show", "events", "0", "3", "--topic", "events"))
        # It remembers for ever what was sent again.
        self.assertEqual(self.run_json("topics", "show", "headrace.retry.events")["config"]["retention_ms"], -1)
        self.assertEqual(self.rows("SELECT typeof(rejected_at) FROM system.dead_letters LIMIT 1"),
                         [["TIMESTAMP WITH TIME ZONE"]])


if __name__ == "__main__":
    unittest.main()
