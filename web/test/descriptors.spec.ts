// The page reads descriptors from literals instead of protobuf's binary form.
// Whatever protobuf makes of the one, it must make of the other.

import { expect, test } from "@playwright/test";
import type { DescField, DescFile, DescMessage } from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_timestamp,
} from "@bufbuild/protobuf/wkt";
import { file_auth_v1_account_service } from "../client/src/gen/auth/v1/account_service_pb.ts";
import { file_auth_v1_auth_service } from "../client/src/gen/auth/v1/auth_service_pb.ts";
import { file_auth_v1_session } from "../client/src/gen/auth/v1/session_pb.ts";
import { file_auth_v1_user } from "../client/src/gen/auth/v1/user_pb.ts";
import { file_google_rpc_error_details } from "../client/src/gen/google/rpc/error_details_pb.ts";
import { file_task_v1_change } from "../client/src/gen/task/v1/change_pb.ts";
import { file_task_v1_list } from "../client/src/gen/task/v1/list_pb.ts";
import { file_task_v1_list_service } from "../client/src/gen/task/v1/list_service_pb.ts";
import { file_task_v1_task } from "../client/src/gen/task/v1/task_pb.ts";
import { file_task_v1_task_service } from "../client/src/gen/task/v1/task_service_pb.ts";
import { file_task_v1_transfer_service } from "../client/src/gen/task/v1/transfer_service_pb.ts";
import { literalOf } from "../descriptors.mjs";
import { fileDesc } from "../src/descriptors.ts";

const FILES = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_timestamp,
  file_google_rpc_error_details,
  file_auth_v1_account_service,
  file_auth_v1_auth_service,
  file_auth_v1_session,
  file_auth_v1_user,
  file_task_v1_change,
  file_task_v1_list,
  file_task_v1_list_service,
  file_task_v1_task,
  file_task_v1_task_service,
  file_task_v1_transfer_service,
];

for (const file of FILES) {
  test(`${file.name} is the same from its literal`, () => {
    const literal = JSON.parse(JSON.stringify(literalOf(file.proto)));
    expect(said(fileDesc(literal, file.dependencies))).toEqual(said(file));
  });
}

test("what a literal cannot say is refused", () => {
  const { proto } = file_task_v1_task;
  expect(() => literalOf({ ...proto, syntax: "proto2" })).toThrow("not plain proto3");
  const messageType = proto.messageType.map((message) => ({
    ...message,
    field: message.field.map((field) => ({ ...field, defaultValue: "7" })),
  }));
  expect(() => literalOf({ ...proto, messageType })).toThrow("cannot say this");
});

/** All that is read of a descriptor when messages are made, read and written. */
function said({ name, edition, messages, enums, services, dependencies }: DescFile): object {
  return {
    name,
    edition,
    dependencies: dependencies.map((file) => file.name),
    messages: messages.map(saidOfMessage),
    enums: enums.map(({ typeName, open, values }) => ({
      typeName,
      open,
      values: values.map(({ number, name, localName }) => [number, name, localName]),
    })),
    services: services.map(({ typeName, methods }) => ({
      typeName,
      methods: methods.map(({ name, localName, methodKind, input, output, idempotency }) => [
        ...[name, localName, methodKind, input.typeName, output.typeName, idempotency],
      ]),
    })),
  };
}

function saidOfMessage({ typeName, fields, oneofs, members, nestedMessages }: DescMessage): object {
  return {
    typeName,
    fields: fields.map(saidOfField),
    oneofs: oneofs.map(({ localName, fields }) => [localName, fields.map(({ name }) => name)]),
    members: members.map(({ kind, localName }) => [kind, localName]),
    nested: nestedMessages.map(saidOfMessage),
  };
}

function saidOfField(field: DescField): object {
  const { name, localName, number, fieldKind, scalar, message, presence, oneof } = field;
  const { mapKind, mapKey, listKind, packed, utf8Validation, longAsString } = field as never;
  return [
    ...[name, localName, number, fieldKind, scalar, message?.typeName, field.enum?.typeName],
    ...[presence, oneof?.localName, mapKind, mapKey, listKind, packed, utf8Validation],
    ...[longAsString, field.toString()],
  ];
}
