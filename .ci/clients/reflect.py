"""Drives the running pair with nothing but its address: every service, method
and message is found by gRPC reflection, no generated code. What it says is what
any reflection client in any language can do.

usage: reflect.py <address>
"""

import sys
import uuid

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

TIMEOUT = 10
SERVICES = {
    "auth.v1.AuthService",
    "auth.v1.AccountService",
    "auth.v1.TokenService",
    "task.v1.TaskService",
    "task.v1.ListService",
    "task.v1.TransferService",
}


class Pair:
    """The methods of the pair, by name."""

    def __init__(self, channel):
        self.channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def call(self, method, request=None, token=None, timeout=TIMEOUT):
        """The answer, or an iterator over the answers of a stream."""
        service, name = method.split("/")
        found = self.pool.FindServiceByName(service).FindMethodByName(name)
        takes = message_factory.GetMessageClass(found.input_type)
        answers = message_factory.GetMessageClass(found.output_type)
        kind = self.channel.unary_stream if found.server_streaming else self.channel.unary_unary
        call = kind(
            f"/{method}",
            request_serializer=takes.SerializeToString,
            response_deserializer=answers.FromString,
        )
        metadata = [("authorization", f"Bearer {token}")] if token else []
        return call(takes(**(request or {})), metadata=metadata, timeout=timeout)


def saw(what, holds):
    print(f"  {what}")
    if not holds:
        sys.exit(f"reflect.py: this does not hold: {what}")


def reason_of(error):
    """The code and the reason of an error, and the fields that it names."""
    status = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else []:
        detail.Unpack(info)
        detail.Unpack(bad)
    fields = [violation.field for violation in bad.field_violations]
    return error.code().name, info.domain, info.reason, fields


def refused(call):
    try:
        call()
    except grpc.RpcError as error:
        return reason_of(error)
    sys.exit("reflect.py: a call that must fail did not")


def main(address):
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=TIMEOUT)
        pair = Pair(channel)
        listed = set(pair.database.get_services())
        saw(f"services: {', '.join(sorted(listed))}", SERVICES <= listed)
        healthy(channel)
        token = signed_up(pair)
        tasks(pair, token)
        changes(pair, token)
        files(pair, token)
        errors(pair, token)


def healthy(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in sorted(SERVICES | {""}):
        request = health_pb2.HealthCheckRequest(service=service)
        status = health.Check(request, timeout=TIMEOUT).status
        name = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
        saw(f"health of {service or 'the whole'}: {name}", name == "SERVING")


def signed_up(pair):
    account = {
        "email": f"reflect-{uuid.uuid4()}@example.org",
        "password": f"quiet-{uuid.uuid4()}",
    }
    user = pair.call("auth.v1.AuthService/SignUp", account).user
    saw(f"signed up as {user.name}", user.name.startswith("users/"))
    answer = pair.call("auth.v1.AuthService/SignIn", account)
    saw("signed in as the same user", answer.user.name == user.name)
    return answer.credentials.access_token


def tasks(pair, token):
    for title in ("one", "two", "three"):
        pair.call("task.v1.TaskService/CreateTask", {"task": {"title": title}}, token)
    pages, page_token = [], ""
    while True:
        request = {"page_size": 2, "page_token": page_token}
        page = pair.call("task.v1.TaskService/ListTasks", request, token)
        pages.append([task.title for task in page.tasks])
        page_token = page.next_page_token
        if not page_token:
            break
    saw(f"pages of two, newest first: {pages}", pages == [["three", "two"], ["one"]])


def changes(pair, token):
    """What one client does another one is told, from where it left off."""
    watch = "task.v1.TaskService/WatchTasks"
    stream = pair.call(watch, token=token)
    there, current = 0, None
    for event in stream:
        there += len(event.changes.changes)
        if event.WhichOneof("event") == "current":
            current = event.resume_token
            break
    saw(f"watched: {there} tasks, then current", there == 3 and current)
    made = pair.call("task.v1.ListService/CreateList", {"list": {"title": "Home"}}, token).list
    told = next(event for event in stream if event.WhichOneof("event") == "changes")
    saw("a list was told while it was made", told.changes.changes[0].list == made)
    stream.cancel()

    task = {"task": {"title": "four", "list": made.name, "labels": ["b", "a"]}}
    four = pair.call("task.v1.TaskService/CreateTask", task, token).task
    stream = pair.call(watch, {"resume_token": told.resume_token}, token)
    told = next(stream)
    saw("resumed: what happened meanwhile", [c.task for c in told.changes.changes] == [four])
    stream.cancel()
    synced = pair.call("task.v1.TaskService/SyncTasks", {"sync_token": current}, token)
    revisions = [change.revision for change in synced.changes]
    saw(f"synced: {revisions}", revisions == [4, 5] and not synced.more)
    found = {"filter": 'labels:a AND title:"FOUR"'}
    page = pair.call("task.v1.TaskService/ListTasks", found, token)
    saw("found by a filter", [task.name for task in page.tasks] == [four.name])


def files(pair, token):
    """What is taken out comes in again."""
    pieces = pair.call("task.v1.TransferService/ExportTasks", {"format": 1}, token)
    data = b"".join(piece.data for piece in pieces)
    taken = {"format": 1, "data": data, "dry_run": True}
    answer = pair.call("task.v1.TransferService/ImportTasks", taken, token)
    saw(f"a file of {len(data)} bytes has {answer.tasks} tasks", answer.tasks == 4 and not answer.notes)


def errors(pair, token):
    empty = {"task": {"title": ""}}
    told = refused(lambda: pair.call("task.v1.TaskService/CreateTask", empty, token))
    expected = ("INVALID_ARGUMENT", "duet.task", "FIELD_INVALID", ["task.title"])
    saw(f"a task without a title: {told}", told == expected)
    bad = {"filter": "due > hello"}
    told = refused(lambda: pair.call("task.v1.TaskService/ListTasks", bad, token))
    expected = ("INVALID_ARGUMENT", "duet.task", "FILTER_INVALID", ["filter"])
    saw(f"a filter that says nothing: {told}", told == expected)
    told = refused(lambda: next(pair.call("task.v1.TaskService/WatchTasks")))
    expected = ("UNAUTHENTICATED", "duet.task", "TOKEN_MISSING", [])
    saw(f"a stream without a token: {told}", told == expected)
    told = refused(lambda: pair.call("task.v1.TaskService/ListTasks"))
    expected = ("UNAUTHENTICATED", "duet.task", "TOKEN_MISSING", [])
    saw(f"no token: {told}", told == expected)
    # A password takes longer to hash than this.
    stranger = {"email": f"{uuid.uuid4()}@example.org", "password": str(uuid.uuid4())}
    told = refused(
        lambda: pair.call("auth.v1.AuthService/SignIn", stranger, timeout=0.003)
    )
    saw(f"a deadline of 3 ms: {told[0]}", told[0] == "DEADLINE_EXCEEDED")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
