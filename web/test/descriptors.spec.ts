// The page reads descriptors from literals instead of protobuf's binary form.
// Whatever protobuf makes of the one, it must make of the other.

import { expect, test } from "@playwright/test";
import type { DescEnum, DescField, DescFile, DescMessage } from "@bufbuild/protobuf";
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
    expect(said(fromLiteral(file))).toEqual(said(file));
  });
}

/** As in the page: what is imported is there first. */
function fromLiteral({ proto, dependencies }: DescFile): DescFile {
  dependencies.forEach(fromLiteral);
  return fileDesc(JSON.parse(JSON.stringify(literalOf(proto))));
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

/** All that is read of a descriptor when messages are made, read and written in binary. */
function said({ name, edition, messages, enums, services }: DescFile): object {
  return {
    name,
    edition,
    messages: messages.map(saidOfMessage),
    enums: enums.map(saidOfEnum),
    services: services.map(({ typeName, methods, method }) => ({
      typeName,
      byName: Object.entries(method).map(([localName, { name }]) => [localName, name]),
      methods: methods.map(({ name, parent, methodKind, input, output, idempotency }) => [
        ...[name, parent.typeName, methodKind, input.typeName, output.typeName, idempotency],
      ]),
    })),
  };
}

function saidOfEnum({ typeName, open, values }: DescEnum): object {
  return { typeName, open, values: values.map(({ number }) => number) };
}

function saidOfMessage(message: DescMessage): object {
  const { typeName, file, fields, field, oneofs, members, nestedMessages, nestedEnums } = message;
  return {
    typeName,
    edition: file.edition,
    fields: fields.map(saidOfField),
    byName: Object.entries(field).map(([localName, { number }]) => [localName, number]),
    oneofs: oneofs.map(({ localName, fields }) => [localName, fields.map((f) => f.localName)]),
    members: members.map(({ kind, localName }) => [kind, localName]),
    nested: nestedMessages.map(saidOfMessage),
    enums: nestedEnums.map(saidOfEnum),
  };
}

function saidOfField(field: DescField): object {
  const { localName, number, fieldKind, scalar, message, presence, oneof, parent } = field;
  const { mapKind, mapKey, listKind, packed, delimitedEncoding } = field as never;
  const { utf8Validation, longAsString } = field as never;
  return [
    ...[localName, number, fieldKind, scalar, message?.typeName, field.enum?.typeName],
    ...[presence, oneof?.localName, parent.typeName, mapKind, mapKey, listKind, packed],
    ...[delimitedEncoding, utf8Validation, longAsString],
  ];
}
