"""Writes what each task did on each host as JSON lines."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: cloudops_events
    type: notification
    short_description: writes task results as JSON lines
    description:
      - Adds a line to events.jsonl, in the folder that CLOUDOPS_PLAY names,
        for each task that ended on a host, one a host at the end, and a last one.
"""

MAX_MESSAGE = 4000
MAX_DIFF = 50000


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "cloudops_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        path = os.path.join(os.environ["CLOUDOPS_PLAY"], "events.jsonl")
        self._file = open(path, "a", encoding="utf-8", buffering=1)
        self._started = {}
        self._play = ""

    def v2_playbook_on_play_start(self, play):
        self._play = play.get_name()

    def v2_playbook_on_no_hosts_matched(self):
        self._write(event="no_hosts", task=self._play)

    def v2_runner_on_start(self, host, task):
        self._started[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_on_ok(self, result):
        self._task_ended(result, "changed" if _part(result, "result").get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._task_ended(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self._task_ended(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self._task_ended(result, "unreachable")

    def v2_playbook_on_stats(self, stats):
        for host in sorted(stats.processed):
            self._write(event="stats", host=host, stats=stats.summarize(host))
        self._write(event="end")

    def _task_ended(self, result, status):
        host, task, data = (_part(result, name) for name in ("host", "task", "result"))
        began = self._started.pop((host.get_name(), task._uuid), None)
        self._write(
            event="task",
            host=host.get_name(),
            task=task.get_name().strip(),
            module=_module(task),
            status=status,
            message="" if status in ("ok", "changed") else _cut(_message(data), MAX_MESSAGE),
            diff=_cut(self._diffs(task, data), MAX_DIFF) if status == "changed" else "",
            unjudged=status == "skipped" and _unjudged(task, data),
            seconds=round(time.monotonic() - began, 3) if began else 0,
        )

    def _diffs(self, task, data):
        found = [item for item in _items(data) if item.get("changed") and item.get("diff")]
        return "".join(self._get_diff(_named(task, item)) or "" for item in found)

    def _write(self, **event):
        self._file.write(json.dumps(event, default=str) + "\n")


def _part(result, name):
    """Reads host, task or result; older versions have them with an underscore."""
    found = getattr(result, name, None)
    return getattr(result, "_" + name) if found is None else found


def _module(task):
    return str(task.action).removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")


def _items(data):
    """The results of a task's loop, or the one result of a task without."""
    items = data.get("results")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return [data]
    return [item for item in items if not item.get("_ansible_no_log")]


def _named(task, item):
    """The diff of an item, headed by the file that changes: Ansible's own
    heads name temporary files, which are never the same twice."""
    diffs = item["diff"] if isinstance(item["diff"], list) else [item["diff"]]
    places = (item.get("dest"), item.get("path"), task.args.get("dest"), task.args.get("path"))
    name = next((place for place in places if place), "")
    return [dict(diff, before_header=name, after_header=name) for diff in diffs if isinstance(diff, dict)]


def _message(data):
    if "censored" in data:
        return "hidden, since the task has no_log"
    bad = [item for item in _items(data) if item.get("failed") or item.get("unreachable")]
    if bad and bad != [data]:
        return "; ".join(dict.fromkeys(_message(item) for item in bad))
    reason = data.get("msg") or data.get("skip_reason") or data.get("skipped_reason") or ""
    said = data.get("stderr") or data.get("module_stderr") or data.get("module_stdout") or ""
    if not said and data.get("rc"):
        said = data.get("stdout") or ""
    lines = [line for line in str(said).splitlines() if line.strip()]
    return ": ".join(part for part in (str(reason).strip(), "\n".join(lines[-10:])) if part)


def _unjudged(task, data):
    """Whether check mode skipped the task because it cannot tell what it would
    do. A task that says it never changes anything needs no telling."""
    if not task.check_mode or task.changed_when in ([False], False):
        return False
    return any(item.get("skipped", True) and _blind(item) for item in _items(data))


def _blind(item):
    if item.get("skip_reason") or item.get("skipped_reason"):
        return False
    reason = str(item.get("msg", "")).lower()
    return not reason or "check mode" in reason


def _cut(text, limit):
    return text if len(text) <= limit else text[:limit] + "\n[cut: %d characters more]" % (len(text) - limit)
