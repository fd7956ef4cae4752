"""What the tests of platform `aws` do at the emulator: make what set-up would, list everything, and stand in front of it.

    emulator.py make ENDPOINTS        makes tables, buckets, a topic, queues, roles and secrets; prints connection_info.yaml
    emulator.py unqueue ENDPOINTS     deletes the queue of evaluations
    emulator.py unversion ENDPOINTS   has the posts' bucket of the reader's region keep no more versions
    emulator.py inventory ENDPOINTS   prints everything that is there, as JSON
    emulator.py proxy ENDPOINTS FAULTS   passes calls on, but for the faults in the file; prints its URL
"""

import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import boto3

WRITER, READER = "eu-central-1", "us-east-1"
PLACES = {WRITER: "eu", READER: "us"}
endpoints = json.load(open(sys.argv[2]))
at = {region: endpoints["regions"][short] for region, short in PLACES.items()}


def client(service, region):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoints["aws_endpoint_url"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=boto3.session.Config(s3={"addressing_style": "path"}),
    )


def make():
    for name in ["given-posts", "given-notifications"]:
        client("dynamodb", WRITER).create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        client("dynamodb", WRITER).update_table(
            TableName=name, ReplicaUpdates=[{"Create": {"RegionName": READER}}]
        )
    stream = client("dynamodb", READER).describe_table(TableName="given-notifications")["Table"]["LatestStreamArn"]
    for region, short in PLACES.items():
        s3 = client("s3", region)
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        for bucket in [f"given-posts-{short}", f"given-code-{short}"]:
            s3.create_bucket(Bucket=bucket, **place)
        s3.put_bucket_versioning(
            Bucket=f"given-posts-{short}", VersioningConfiguration={"Status": "Enabled"}
        )
    trust = {"Version": "2012-10-17", "Statement": []}
    roles = {}
    for name in ["given-functions", "given-cloudformation", "given-replication"]:
        role = client("iam", WRITER).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        roles[name] = role["Role"]["Arn"]
    client("s3", WRITER).put_bucket_replication(
        Bucket="given-posts-eu",
        ReplicationConfiguration={
            "Role": roles["given-replication"],
            "Rules": [
                {
                    "ID": "all",
                    "Priority": 1,
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "Destination": {"Bucket": "arn:aws:s3:::given-posts-us"},
                }
            ],
        },
    )
    topic = client("sns", WRITER).create_topic(Name="given-topic")["TopicArn"]
    queue = client("sqs", READER).create_queue(QueueName="given-evaluations")["QueueUrl"]
    secret = client("secretsmanager", WRITER).create_secret(
        Name="given-mysql",
        SecretString=json.dumps({"username": endpoints["mysql"]["user"], "password": endpoints["mysql"]["password"]}),
    )["ARN"]
    eu, us, mysql, mq = at[WRITER], at[READER], endpoints["mysql"], endpoints["mq"]
    print(
        f"""iam_cloudformation_admin_role_arn: {roles["given-cloudformation"]}
iam_lambda_admin_role_arn: {roles["given-functions"]}
lambda:
  network:
    {WRITER}: {{ vpc_id: vpc-1, subnet_id: subnet-1, security_group_id: sg-1 }}
    {READER}: {{ vpc_id: vpc-2, subnet_id: subnet-2, security_group_id: sg-2 }}
  s3_buckets:
    {WRITER}: given-code-eu
    {READER}: given-code-us
datastores:
  mysql:
    vpc_required: false
    port: {eu["mysql_port"]}
    user: {mysql["user"]}
    password: {secret}
    db: {mysql["db"]}
    post_table_name: given_posts
    antipode_table_name: given_antipode
    host__{WRITER}__writer: {eu["host"]}
    host__{READER}__reader: {us["host"]}
  dynamo:
    vpc_required: false
    post_table_name: given-posts
    notifications_table_name: given-notifications
    notifications_table_stream_arn__{READER}: {stream}
  s3:
    vpc_required: false
    bucket__{WRITER}__writer: given-posts-eu
    bucket__{READER}__reader: given-posts-us
  cache:
    vpc_required: true
    port: {eu["redis_port"]}
    host__{WRITER}__writer: {eu["host"]}
    host__{READER}__reader: {us["host"]}
  sns:
    vpc_required: false
    arn__{WRITER}__writer: {topic}
  mq:
    vpc_required: false
    user: {mq["user"]}
    password: ${{GIVEN_MQ_PASSWORD}}
    notification_queue: given-queue
    stomp_port: {eu["stomp_ssl_port"]}
    host__{WRITER}: {eu["host"]}
    host__{READER}: {us["host"]}
    name__{WRITER}: given-eu
    name__{READER}: given-us
    ca_file: {mq["ca_file"]}
sqs_eval:
  name: given-evaluations
  url__{READER}: {queue}
"""
    )


def unqueue():
    """Deletes the queue of evaluations, as somebody by hand."""
    queues = client("sqs", READER)
    queues.delete_queue(QueueUrl=queues.get_queue_url(QueueName="given-evaluations")["QueueUrl"])


def unversion():
    """Suspends the versions of the bucket that posts are replicated to, as somebody by hand."""
    client("s3", READER).put_bucket_versioning(
        Bucket="given-posts-us", VersioningConfiguration={"Status": "Suspended"}
    )


def pages(of, call, member, **arguments):
    return [item for page in of.get_paginator(call).paginate(**arguments) for item in page.get(member, [])]


def inventory():
    found = {}
    for region in PLACES:
        cloudformation, functions, dynamo = (client(name, region) for name in ["cloudformation", "lambda", "dynamodb"])
        stacks = cloudformation.describe_stacks()["Stacks"]
        here = {
            "stacks": [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"],
            "functions": [function["FunctionName"] for function in functions.list_functions()["Functions"]],
            "mappings": [m["EventSourceArn"] for m in functions.list_event_source_mappings()["EventSourceMappings"]],
            "topics": [topic["TopicArn"] for topic in client("sns", region).list_topics()["Topics"]],
            "subscriptions": [s["Endpoint"] for s in client("sns", region).list_subscriptions()["Subscriptions"]],
            "queues": {},
            "tables": {},
            "logs": [log["logGroupName"] for log in client("logs", region).describe_log_groups()["logGroups"]],
            "secrets": [s["Name"] for s in client("secretsmanager", region).list_secrets()["SecretList"]],
        }
        for url in client("sqs", region).list_queues().get("QueueUrls", []):
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            counts = client("sqs", region).get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            here["queues"][url.rsplit("/", 1)[1]] = sum(int(counts[name]) for name in names)
        for table in dynamo.list_tables()["TableNames"]:
            here["tables"][table] = len(pages(dynamo, "scan", "Items", TableName=table))
        found[region] = here
    s3 = client("s3", WRITER)
    found["buckets"] = {}
    for bucket in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        page = s3.list_object_versions(Bucket=bucket)
        objects = page.get("Versions", []) + page.get("DeleteMarkers", [])
        found["buckets"][bucket] = sorted(f"{item['Key']} {item.get('VersionId')}" for item in objects)
    found["roles"] = [role["RoleName"] for role in client("iam", WRITER).list_roles()["Roles"]]
    for region in PLACES:
        mysql, here = endpoints["mysql"], at[region]
        listing = ["mariadb", "--skip-ssl", "-N", "-h", here["host"], "-P", str(here["mysql_port"]), "-u", mysql["user"]]
        environment = {**os.environ, "MYSQL_PWD": mysql["password"]}
        command = listing + ["-e", "SHOW TABLES", mysql["db"]]
        found[region]["mysql"] = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        with socket.create_connection((here["host"], here["redis_port"])) as redis:
            redis.sendall(b"DBSIZE\r\n")
            found[region]["redis"] = redis.recv(100).decode().strip()
    for value in [value for here in found.values() if isinstance(here, dict) for value in here.values()]:
        if isinstance(value, list):
            value.sort()
    print(json.dumps(found, indent=1, sort_keys=True))


def refusal(service, code, status, is_throttle):
    """The answer by which a service of each protocol refuses."""
    message = "Rate exceeded" if is_throttle else "The security token included in the request is expired"
    if service in ("dynamodb", "sqs", "secretsmanager"):
        kind = f"com.amazonaws.{service}#{code}" if is_throttle else "com.amazon.coral.service#ExpiredTokenException"
        return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps({"__type": kind, "message": message})
    if service == "lambda":
        kind = code if is_throttle else "ExpiredTokenException"
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": kind}
        return 429 if is_throttle else 403, headers, json.dumps({"message": message})
    if service == "s3":
        code = "SlowDown" if is_throttle else "ExpiredToken"
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return 503 if is_throttle else 400, {"Content-Type": "application/xml"}, body
    code = "Throttling" if is_throttle else "ExpiredToken"
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, body


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count, lock = 0, threading.Lock()
    answered = {"refused": 0, "throttled": 0}

    def fault(self):
        faults = json.load(open(sys.argv[3]))
        signed = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", self.headers.get("Authorization", ""))
        key, service = signed.groups() if signed else ("", "")
        if key in faults.get("refused", []):
            self.told("refused")
            return refusal(service, "", 403, False)
        every = faults.get("throttle_every", 0)
        # What runs functions has retries of its own, which other tests are about.
        if every and service and service != "sts" and not self.path.endswith("/invocations"):
            with self.lock:
                Proxy.count += 1
                if Proxy.count % every == 0:
                    self.told("throttled")
                    return refusal(service, "ThrottlingException", 400, True)
        return None

    def told(self, what):
        Proxy.answered[what] += 1
        with open(sys.argv[3] + ".told", "w") as told:
            json.dump(Proxy.answered, told)

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        elif "Content-Length" in headers:
            self.send_header("Content-Length", headers["Content-Length"])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.fault()
        if fault:
            status, headers, text = fault
            return self.answer(status, headers, text.encode())
        target = urlsplit(endpoints["aws_endpoint_url"])
        onward = http.client.HTTPConnection(target.hostname, target.port)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        onward.request(self.command, self.path, body, headers)
        reply = onward.getresponse()
        self.answer(reply.status, dict(reply.getheaders()), reply.read())
        onward.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def proxy():
    server = Server(("127.0.0.1", 0), Proxy)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


{"make": make, "unqueue": unqueue, "unversion": unversion, "inventory": inventory, "proxy": proxy}[sys.argv[1]]()
