#!/usr/bin/env python3
"""/openapi.json against the server that gives it: every operation is called, well and badly, and answers as described.

The operations of the Iceberg REST catalog are called by real clients in tests/iceberg_rest; here their descriptions alone
are looked at.
"""

import http.client
import json
import re
import unittest
from urllib.parse import urlencode

from json_schema import complaints
from project import ProjectTest

NDJSON = "application/x-ndjson"
JSON = "application/json"

# Every operation of the server's own, in an order that works: operation, where, query, body, type, status.
CALLS = [
    ("describeApi", {}, {}, None, None, 200),
    ("getHealth", {}, {}, None, None, 200),
    ("getMetrics", {}, {}, None, None, 200),
    ("getStatus", {}, {}, None, None, 200),
    ("listTopics", {}, {}, None, None, 200),
    ("createTopic", {}, {}, {"name": "extra", "partitions": 2, "retention_ms": 1000}, JSON, 201),
    ("createTopic", {}, {}, {"name": "extra"}, JSON, 409),
    ("createTopic", {}, {}, {"name": "extra2", "partitons": 2}, JSON, 400),
    ("showTopic", {"topic": "extra"}, {}, None, None, 200),
    ("showTopic", {"topic": "events"}, {}, None, None, 200),
    ("showTopic", {"topic": "none"}, {}, None, None, 404),
    ("alterTopic", {"topic": "extra"}, {}, {"partitions": 3}, JSON, 200),
    ("alterTopic", {"topic": "extra"}, {}, {"partitions": 1}, JSON, 400),
    ("alterTopic", {"topic": "none"}, {}, {"partitions": 1}, JSON, 404),
    ("appendRecords", {"topic": "extra"}, {"key": "/k", "timestamp": "/t", "validate": "true"},
     b'{"k":"a","t":"2026-01-01T00:00:00Z"}\n', NDJSON, 200),
    ("appendRecords", {"topic": "extra"}, {"partition": 1}, [1, 2], JSON, 200),
    ("appendRecords", {"topic": "extra"}, {}, b"\0\0\0\1x", "application/octet-stream", 200),
    ("appendRecords", {"topic": "extra"}, {}, b"{", NDJSON, 400),
    ("appendRecords", {"topic": "extra"}, {"tiemstamp": "/t"}, b"{}", NDJSON, 400),
    ("appendRecords", {"topic": "none"}, {}, b"{}", NDJSON, 404),
    ("appendRecords", {"topic": "extra"}, {}, b"{}", "text/html", 415),
    ("appendRecords", {"topic": "extra"}, {}, b'"' + b"x" * 9_000_000 + b'"', NDJSON, 413),
    ("readRecords", {"topic": "extra"}, {"partition": 1, "offset": "earliest", "limit": 1, "wait_ms": 0}, None, None, 200),
    ("readRecords", {"topic": "extra"}, {"limit": 0}, None, None, 400),
    ("readRecords", {"topic": "extra"}, {"limt": 1}, None, None, 400),
    ("readRecords", {"topic": "none"}, {}, None, None, 404),
    ("deleteTopic", {"topic": "extra"}, {}, None, None, 204),
    ("deleteTopic", {"topic": "extra"}, {}, None, None, 404),
    ("deleteTopic", {"topic": "events"}, {}, None, None, 409),
    ("runQuery", {}, {}, {"sql": "SELECT $1::INTEGER AS n", "parameters": [1], "format": "json", "timeout_ms": 60000,
                          "max_rows": 10}, JSON, 200),
    ("runQuery", {}, {}, {"sql": "SELECT 1 AS n", "format": "csv"}, JSON, 200),
    ("runQuery", {}, {}, {"sql": "SELECT 1 AS n", "format": "arrow"}, JSON, 200),
    ("runQuery", {}, {}, {"sql": "SELECT 1 AS n", "format": "parquet"}, JSON, 200),
    ("runQuery", {}, {}, b"SELECT 1 AS n", "text/plain", 200),
    ("runQuery", {}, {}, {"sql": "SELEC 1"}, JSON, 400),
    ("runQuery", {}, {}, {"sql": "SELECT 1", "max_rows": -1}, JSON, 400),
    ("runQuery", {}, {}, {"sql": "SELECT 1", "fromat": "csv"}, JSON, 400),
    ("runQuery", {}, {}, b"SELECT 1", JSON, 400),
    ("runQuery", {}, {}, {"sql": "SELECT * FROM silver.none"}, JSON, 404),
    ("runQuery", {}, {}, {"sql": "SELECT count(*) FROM range(1000000000) a, range(1000000000) b", "timeout_ms": 1}, JSON, 504),
    ("listQueries", {}, {}, None, None, 200),
    ("cancelQuery", {"id": "none"}, {}, None, None, 404),
    ("commitTables", {}, {"timeout_ms": 60000}, None, None, 200),
    ("commitTables", {}, {"timeout_ms": 0}, None, None, 400),
    ("listTables", {}, {}, None, None, 200),
    ("getTable", {"database": "silver", "table": "events"}, {}, None, None, 200),
    ("getTable", {"database": "silver", "table": "none"}, {}, None, None, 404),
    ("listTableFiles", {"database": "silver", "table": "events"}, {}, None, None, 200),
    ("listTableSnapshots", {"database": "silver", "table": "events"}, {}, None, None, 200),
    ("optimizeTable", {"database": "silver", "table": "events"}, {}, {"sort_by": ["id"]}, JSON, 200),
    ("optimizeTable", {"database": "silver", "table": "events"}, {}, {"sort": ["id"]}, JSON, 400),
    ("alterTable", {"database": "silver", "table": "events"}, {}, {"add": {"note": "varchar"}}, JSON, 200),
    ("alterTable", {"database": "silver", "table": "events"}, {}, {"drop": ["nothing"]}, JSON, 404),
    ("alterTable", {"database": "silver", "table": "events"}, {}, {"ad": {}}, JSON, 400),
    ("expireTable", {"database": "silver", "table": "events"}, {}, {"keep": 5}, JSON, 200),
    ("expireTable", {"database": "silver", "table": "events"}, {}, {"keep": 0}, JSON, 400),
    ("rollBackTable", {"database": "silver", "table": "events"}, {}, {"snapshot_id": "1"}, JSON, 409),
    ("listJobs", {}, {}, None, None, 200),
    ("getJob", {"job": "events"}, {}, None, None, 200),
    ("getJob", {"job": "none"}, {}, None, None, 404),
    ("pauseJob", {"job": "events"}, {}, None, None, 200),
    ("resumeJob", {"job": "events"}, {}, None, None, 200),
    ("resumeJob", {"job": "none"}, {}, None, None, 404),
    ("runJob", {"job": "events"}, {}, None, None, 409),
    ("runJob", {"job": "none"}, {}, None, None, 404),
    ("listDeadLetters", {}, {"job": "events", "limit": 10}, None, None, 200),
    ("listDeadLetters", {}, {"job": "none"}, None, None, 404),
    ("getDeadLetter", {"job": "events", "partition": 0, "offset": 7}, {"topic": "events"}, None, None, 200),
    ("getDeadLetter", {"job": "events", "partition": 0, "offset": 1}, {}, None, None, 404),
    ("getDeadLetter", {"job": "events", "partition": 0, "offset": "x"}, {}, None, None, 400),
    ("replayDeadLetters", {}, {}, {"job": "events", "reason_lik": "%"}, JSON, 400),
    ("replayDeadLetters", {}, {}, {"job": "events", "reason_like": "%negative%"}, JSON, 200),
]


class OpenApiTest(ProjectTest):
    def setUp(self):
        super().setUp()
        self.serve()
        self.wait_for_rows("SELECT sum(events)::BIGINT FROM gold.events_per_minute", [[17]])
        self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(self.http.close)
        _, _, text = self.ask("GET", "/openapi.json")
        self.document = json.loads(text)
        self.operations = {}
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                self.assertNotIn(operation["operationId"], self.operations)
                self.operations[operation["operationId"]] = (method.upper(), path, operation)

    def ask(self, method, target, body=None, content_type=None):
        self.http.request(method, target, body=body, headers={"Content-Type": content_type} if content_type else {})
        response = self.http.getresponse()
        return response.status, response.headers.get("Content-Type"), response.read()

    def check_answer(self, operation, status, content_type, body):
        responses = operation["responses"]
        described = responses.get(str(status)) or responses["default"]
        if status < 400:
            self.assertIn(str(status), responses)
        content = described.get("content", {})
        if not content:
            self.assertEqual(body, b"")
            return
        kind = content_type.split(";")[0]
        self.assertIn(kind, content)
        if kind == JSON:
            self.assertEqual(complaints(json.loads(body), content[kind]["schema"], self.document), [])

    def test_every_operation_answers_as_described(self):
        for name, places, query, body, content_type, expected in CALLS:
            with self.subTest(operation=name, places=places, query=query, body=str(body)[:80]):
                method, path, operation = self.operations[name]
                target = path.format(**places) + ("?" + urlencode(query) if query else "")
                sent = json.dumps(body).encode() if content_type == JSON and not isinstance(body, bytes) else body
                if body is not None and expected < 300:
                    described = operation["requestBody"]["content"]
                    self.assertIn(content_type, described)
                    if content_type == JSON:
                        self.assertEqual(complaints(body, described[JSON]["schema"], self.document), [])
                status, answered_type, answer = self.ask(method, target, sent, content_type)
                self.assertEqual(status, expected, answer[:500])
                self.check_answer(operation, status, answered_type, answer)

    def test_every_operation_and_each_of_its_parameters_is_called(self):
        for name, (_, path, operation) in self.operations.items():
            if path.startswith("/iceberg/"):
                continue
            with self.subTest(operation=name):
                calls = [call for call in CALLS if call[0] == name]
                self.assertTrue(calls, "no call of it in this test")
                called = {parameter for call in calls for parameter in call[2]}
                parameters = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
                self.assertEqual(parameters - called, set())

    def test_the_description_is_whole(self):
        self.assertEqual(self.document["openapi"], "3.1.0")
        for name, (_, path, operation) in self.operations.items():
            with self.subTest(operation=name):
                self.assertTrue(operation["summary"])
                in_path = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
                self.assertEqual(in_path, set(re.findall(r"{(\w+)}", path)))
                self.assertTrue(any(status.startswith("2") for status in operation["responses"]))

    def test_what_no_operation_describes_is_refused(self):
        for method, target in [("GET", "/v1/nothing"), ("PUT", "/v1/topics"), ("DELETE", "/v1/status")]:
            status, content_type, body = self.ask(method, target)
            self.assertIn(status, (404, 405))
            self.assertEqual(content_type, JSON)
            self.assertEqual(complaints(json.loads(body), {"$ref": "#/components/schemas/Error"}, self.document), [])


if __name__ == "__main__":
    unittest.main()
