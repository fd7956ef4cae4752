"""Starts MiniStack with replication that lags, and with faults on demand.

MiniStack applies a replicated write at once. This launcher holds each one back for a sampled time, keeps the writes of
one item or object in order, and gives the replica of an S3 object the version id of its source, as S3 does.

Everything here runs on MiniStack's event loop, where its S3 and DynamoDB handlers run too: no lock is needed, and a
replicated write is applied between two requests, never within one.

Settings come as JSON from the file that MATRIX_LAUNCHER names:
  lag      {"dynamo": {"mean_ms", "cv", "max_ms"}, "s3": {...}}: lognormal by mean and coefficient of variation, cut at max
  control  file of the faults and cuts in force (see Control)
  visible  file that gets one JSON line per replicated write when it became visible
"""

import concurrent.futures
import contextlib
import contextvars
import heapq
import copy
import itertools
import json
import logging
import math
import os
import queue
import random
import socketserver
import subprocess
import sys
import threading
import time

import ministack.app as ministack_app
from ministack.core.responses import get_region
from ministack.services import dynamodb, s3

logger = logging.getLogger("matrix.launcher")

WRAPPED = {
    dynamodb: ("_replicate_write", "_replica_group"),
    s3: ("_maybe_replicate", "_maybe_replicate_delete_marker", "_replication_rule_for", "_bucket_replication",
         "_object_versions", "_buckets", "new_uuid"),
    ministack_app: ("app", "main", "_MAIN_LOOP"),
}


def assert_names():
    """Fails at once where another version of MiniStack lacks what is wrapped here."""
    missing = [f"{module.__name__}.{name}" for module, names in WRAPPED.items() for name in names
               if not hasattr(module, name)]
    if missing:
        sys.exit(f"this MiniStack has no {', '.join(missing)}: install the version that the launcher was written for")


class Control:
    """What the control file asks for: {"cuts": [[region, region], ...], "faults": [{"id", "service", "operation",
    "kind", "times"}, ...]}. The file is replaced as a whole; it is read again when it changed. A fault keeps its count
    under its id."""

    def __init__(self, path):
        self.path, self.stamp, self.cuts, self.faults, self.used = path, None, set(), [], {}

    def refresh(self):
        try:
            stat = os.stat(self.path)
        except FileNotFoundError:
            self.stamp, self.cuts, self.faults = None, set(), []
            return
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp != self.stamp:
            with open(self.path, encoding="utf-8") as file:
                wanted = json.load(file)
            self.stamp = stamp
            self.cuts = {frozenset(pair) for pair in wanted["cuts"]}
            self.faults = wanted["faults"]

    def is_cut(self, one, other):
        return frozenset((one, other)) in self.cuts

    def fault_for(self, service, operation):
        for fault in self.faults:
            if fault["service"] not in (None, service) or fault["operation"] not in (None, operation):
                continue
            if fault["times"] is not None:
                used = self.used.get(fault["id"], 0)
                if used >= fault["times"]:
                    continue
                self.used[fault["id"]] = used + 1
            return fault
        return None


class Lag:
    """A lognormal time by mean and coefficient of variation, cut at a maximum."""

    def __init__(self, law):
        variance = math.log(1.0 + law["cv"] ** 2)
        self.sigma, self.max_ms = math.sqrt(variance), law["max_ms"]
        self.mu = math.log(law["mean_ms"]) - variance / 2.0 if law["mean_ms"] > 0 else None
        self.random = random.Random()

    def sample(self):
        """Seconds."""
        if self.mu is None:
            return 0.0
        return min(math.exp(self.mu + self.sigma * self.random.gauss(0.0, 1.0)), self.max_ms) / 1e3


class Replication:
    """Applies writes after their lag. Writes of one subject (an item or object at one replica) stay in order."""

    POLL_S = 0.01

    def __init__(self, storage, lag, control, visible):
        self.storage, self.lag, self.control, self.visible = storage, lag, control, visible
        self.waiting, self.last, self.number, self.timer = [], {}, itertools.count(), None

    def submit(self, source, target, place, key, apply):
        loop, subject = ministack_app._MAIN_LOOP, (target, place, key)
        lag = self.lag.sample()
        due = max(loop.time() + lag, self.last.get(subject, 0.0))
        self.last[subject] = due
        write = {"storage": self.storage, "source": source, "target": target, "place": place, "key": key,
                 "written_us": micros(), "lag_us": round(lag * 1e6)}
        entry = (due, next(self.number), contextvars.copy_context(), apply, write, subject)
        loop.call_soon_threadsafe(self._push, entry)

    def _push(self, entry):
        heapq.heappush(self.waiting, entry)
        self._arm(self.waiting[0][0])

    def _arm(self, due):
        if self.timer is not None:
            self.timer.cancel()
        self.timer = ministack_app._MAIN_LOOP.call_at(due, self._fire)

    def _fire(self):
        self.timer = None
        loop, held = ministack_app._MAIN_LOOP, []
        self.control.refresh()
        while self.waiting and self.waiting[0][0] <= loop.time():
            entry = heapq.heappop(self.waiting)
            if self.control.is_cut(entry[4]["source"], entry[4]["target"]):
                held.append(entry)
            else:
                self._apply(entry)
        for entry in held:
            heapq.heappush(self.waiting, entry)
        if held:
            self._arm(loop.time() + self.POLL_S)
        elif self.waiting:
            self._arm(self.waiting[0][0])

    def _apply(self, entry):
        due, _, context, apply, write, subject = entry
        write["invisible_until_us"] = micros()
        try:
            context.run(apply)
        except Exception:
            logger.exception("replicating %s %s/%s to %s failed", self.storage, write["place"], write["key"],
                             write["target"])
            return
        finally:
            if self.last.get(subject) == due:
                del self.last[subject]
        write["visible_from_us"] = micros()
        self.visible.write(json.dumps(write, separators=(",", ":")) + "\n")


def micros():
    return time.time_ns() // 1000


def lag_dynamo(replication):
    original, group, only = dynamodb._replicate_write, dynamodb._replica_group, contextvars.ContextVar("only", default=None)

    def replica_group(table):
        return only.get() or group(table)

    def replicate_write(table, event_name, old_item, new_item):
        home = get_region()
        old_item, new_item = copy.deepcopy(old_item), copy.deepcopy(new_item)
        item = new_item if new_item is not None else old_item
        key = "/".join(str(next(iter(item[name].values()))) for name in (table["pk_name"], table["sk_name"])
                       if name and name in item)
        for region in group(table):
            if region == home:
                continue

            def apply(region=region):
                only.set([home, region])
                original(table, event_name, old_item, new_item)

            replication.submit(home, region, table["TableName"], key, apply)

    dynamodb._replica_group = replica_group
    dynamodb._replicate_write = replicate_write


@contextlib.contextmanager
def single_rule(bucket, rule):
    """Shows MiniStack, which applies the first matching rule only, one rule at a time."""
    config = s3._bucket_replication[bucket]
    s3._bucket_replication[bucket] = {**config, "Rules": [rule]}
    try:
        yield
    finally:
        s3._bucket_replication[bucket] = config


def lag_s3(replication):
    original, original_marker, original_uuid = s3._maybe_replicate, s3._maybe_replicate_delete_marker, s3.new_uuid
    source_version = contextvars.ContextVar("source_version", default=None)

    def new_uuid():
        return source_version.get() or original_uuid()

    def region_of(bucket):
        return (s3._buckets.get(bucket) or {}).get("region") or get_region()

    def each_rule(bucket):
        for rule in (s3._bucket_replication.get(bucket) or {}).get("Rules", []):
            target = rule.get("Destination", {}).get("Bucket", "").rpartition(":")[2]
            yield rule, region_of(target)

    def maybe_replicate(bucket, key, obj, data, tags=None):
        for rule, target in each_rule(bucket):
            with single_rule(bucket, rule):
                matches = s3._replication_rule_for(bucket, key, tags)[0] is not None
            if not matches:
                continue
            obj["replication_status"] = "PENDING"

            def apply(rule=rule):
                if bucket not in s3._bucket_replication:
                    return
                # By now the source's version is recorded; its id is the one uuid that the replica asks for.
                version = obj.get("version_id")
                source_version.set(version)
                with single_rule(bucket, rule):
                    original(bucket, key, obj, data, tags)
                source_version.set(None)
                replica = obj.pop("_replica", None)
                for entry in s3._object_versions.get((bucket, key), []):
                    if entry["version_id"] == version:
                        entry["replication_status"] = obj["replication_status"]
                if replica is not None and replica[1] != version:
                    raise RuntimeError(f"the replica has version {replica[1]}, its source {version}")

            replication.submit(region_of(bucket), target, bucket, key, apply)

    def maybe_replicate_delete_marker(bucket, key):
        for rule, target in each_rule(bucket):

            def apply(rule=rule):
                if bucket in s3._bucket_replication:
                    with single_rule(bucket, rule):
                        original_marker(bucket, key)

            replication.submit(region_of(bucket), target, bucket, key, apply)

    s3.new_uuid = new_uuid
    s3._maybe_replicate = maybe_replicate
    s3._maybe_replicate_delete_marker = maybe_replicate_delete_marker


# Protocol of each service's errors: JSON (1.0 or 1.1), REST-JSON, REST-XML, or query (XML).
QUERY = {"sns", "cloudformation", "iam", "sts"}
THROTTLED = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "lambda": (429, "TooManyRequestsException"),
    "s3": (503, "SlowDown"),
    "sqs": (403, "RequestThrottled"),
}
FAILED = {"dynamodb": "InternalServerError", "lambda": "ServiceException", "s3": "InternalError",
          "sqs": "InternalError"}


def fault_response(service, kind):
    if kind == "throttle":
        status, code = THROTTLED.get(service, (400, "Throttling"))
    else:
        status, code = 500, FAILED.get(service, "InternalFailure")
    message = f"injected: {kind}"
    if service == "s3":
        return status, "application/xml", f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", code
    if service in QUERY:
        error = f"<Error><Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return status, "text/xml", f"<ErrorResponse>{error}<RequestId>injected</RequestId></ErrorResponse>", code
    return status, "application/x-amz-json-1.0", json.dumps({"__type": code, "message": message}), code


def named(scope):
    """Service and operation of a signed request; (None, None) for one that is not signed."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    signed = headers.get(b"authorization", b"").decode("latin-1").partition("Credential=")[2].split("/")
    if len(signed) < 4:
        return None, None
    service, path, method = signed[3], scope["path"], scope["method"]
    target = headers.get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return service, target.rpartition(".")[2]
    if service == "lambda" and path.endswith("/invocations"):
        return service, "Invoke"
    if service == "s3" and path.count("/") > 1:
        return service, {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject",
                         "DELETE": "DeleteObject"}.get(method, method)
    return service, None


def with_faults(app, control):
    async def faulty(scope, receive, send):
        if scope["type"] == "http":
            control.refresh()
            service, operation = named(scope) if control.faults else (None, None)
            fault = control.fault_for(service, operation) if service else None
            if fault is not None:
                while (await receive()).get("more_body"):
                    pass
                logger.info("injected %s into %s %s", fault["kind"], service, operation)
                status, media, body, code = fault_response(service, fault["kind"])
                await send({"type": "http.response.start", "status": status, "headers": [
                    (b"content-type", media.encode()), (b"x-amzn-errortype", code.encode()),
                    (b"x-amzn-requestid", b"injected")]})
                await send({"type": "http.response.body", "body": body.encode()})
                return
        await app(scope, receive, send)

    return faulty


class Tethered(subprocess.Popen):
    """A process that dies with this one, by whatever means this one dies.

    The kernel's parent-death signal belongs to the thread that started the process, and MiniStack starts functions
    from threads that end: so one thread, which never ends, starts them all."""

    jobs = queue.SimpleQueue()

    def __init__(self, args, *rest, **options):
        if isinstance(args, (str, bytes, os.PathLike)) or options.get("shell"):
            raise TypeError("only plain lists of arguments are tethered")
        done = concurrent.futures.Future()
        args = ["setpriv", "--pdeathsig", "KILL", "--", *args]
        Tethered.jobs.put((done, lambda: super(Tethered, self).__init__(args, *rest, **options)))
        done.result()

    @staticmethod
    def serve():
        while True:
            done, start = Tethered.jobs.get()
            try:
                done.set_result(start())
            except BaseException as error:
                done.set_exception(error)


def main():
    assert_names()
    with open(os.environ["MATRIX_LAUNCHER"], encoding="utf-8") as file:
        settings = json.load(file)
    control = Control(settings["control"])
    visible = open(settings["visible"], "a", buffering=1, encoding="utf-8")
    lag_dynamo(Replication("dynamo", Lag(settings["lag"]["dynamo"]), control, visible))
    lag_s3(Replication("s3", Lag(settings["lag"]["s3"]), control, visible))
    threading.Thread(target=Tethered.serve, daemon=True, name="tethered-spawner").start()
    subprocess.Popen = Tethered
    # Functions get their invocations from http.server, which sends the head and the body of an answer by themselves: by
    # Nagle's algorithm the body would wait for the head's acknowledgement, which Linux delays by 40 ms.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    ministack_app.app = with_faults(ministack_app.app, control)
    ministack_app.main()


main()
