#!/usr/bin/env python3
"""What README.md promises to who reads it: the commands of its first pipeline, each as it stands there."""

import os
import pty
import re
import select
import subprocess
import time
import unittest

from project import PATIENCE_S, ROOT, ProjectTest


def commands_of(heading):
    """The indented lines of a section, without their comments."""
    text = (ROOT / "README.md").read_text()
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)^##", text, re.DOTALL | re.MULTILINE).group(1)
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    return [re.sub(r"\s{2,}# .*$", "", line).rstrip() for line in lines]


class ReadmeTest(ProjectTest):
    def shell(self, line, cwd):
        done = subprocess.run(["bash", "-c", line], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S,
                              env=self.environment(), check=False)
        self.assertEqual(done.returncode, 0, f"{line}: {done.stdout}{done.stderr}")
        return done.stdout

    def type_into_the_shell(self, line, typed):
        """What a program shows that runs on a terminal, while somebody types."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.project)
            os.execvpe("bash", ["bash", "-c", line], self.environment())
        seen = b""
        deadline = time.monotonic() + PATIENCE_S
        waiting = list(typed)
        while time.monotonic() < deadline:
            if waiting and waiting[0][0].encode() in seen:
                os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
            if not select.select([terminal], [], [], 0.05)[0]:
                continue
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(terminal)
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, seen)
        return seen.decode(errors="replace")

    def test_a_pipeline_in_five_minutes(self):
        self.project.rename(self.folder / "made before")
        commands = commands_of("A pipeline of your own, in five minutes")
        self.assertEqual(commands[0], "headrace init shop && cd shop")
        self.shell(commands[0], self.folder)
        seen = {}
        for command in commands[1:]:
            if command == "headrace serve":
                self.serve()
                # The demo of freshness is not the point here: the sample must be in before it is asked about.
                self.wait_for_rows("SELECT sum(events)::BIGINT FROM gold.events_per_minute", [[17]])
            elif command == "headrace sql":
                seen[command] = self.type_into_the_shell(
                    command, [("shop> ", "SELECT count(*) AS n\nFROM silver.events;"), ("1 row", ".quit")])
            elif command.startswith("headrace send") or "| headrace send" in command:
                self.shell(command, self.project)
                self.wait_for_rows("SELECT count(*) FROM silver.events", [[18]])
            elif command.startswith("headrace"):
                seen[command] = self.shell(command, self.project)
        self.assertIn("valid: 1 topic, 1 source, 1 job, 1 view", seen["headrace check"])
        self.assertIn("amount is negative", seen["headrace deadletters list"])
        self.assertIn("silver.events", seen["headrace status"])
        self.assertIn("18", seen["headrace sql"])
        newest = next(text for command, text in seen.items() if "DESC" in command).splitlines()[2]
        self.assertIn("2026-01-06 10:16:00", newest)
        self.assertEqual(self.stop(), 0)

    def test_the_comments_of_a_new_project(self):
        """The commands in the comments and the README of a new project."""
        readme = (self.project / "README.md").read_text()
        commands = [re.sub(r"\s{2,}# .*$", "", line[4:]) for line in readme.splitlines() if line.startswith("    ")]
        self.assertGreater(len(commands), 5)
        self.serve()
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[17]])
        for command in commands:
            if command != "headrace serve":
                self.shell(command, self.project)
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[18]])
        (self.project / "more.ndjson").write_text('{"id":22,"time":"2026-01-07","kind":"view","user":"u","amount":0}\n')
        topic = (self.project / "topics/events.yaml").read_text()
        send = re.search(r"^#   (headrace send .*)$", topic, re.MULTILINE).group(1)
        self.shell(send, self.project)
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[19]])
        curl = re.search(r"^#   (curl .*)\\\n# +(http.*)$", topic, re.MULTILINE)
        self.assertIn("-H 'Content-Type: application/x-ndjson'", curl.group(1))
        body = (self.project / re.search(r"@(\S+)", curl.group(1)).group(1)).read_bytes()
        path = re.search(r"8642(\S+)", curl.group(2)).group(1)
        self.post(path, body, "application/x-ndjson")
        self.wait_for_rows("SELECT count(*) FROM silver.events", [[20]])


if __name__ == "__main__":
    unittest.main()
