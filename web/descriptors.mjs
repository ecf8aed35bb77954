// What a generated file says about its messages, written down for the page:
// generated files carry it in protobuf's own binary form, for which a page would
// need the description of descriptions, a tenth of its size. Here it becomes a
// literal, of which src/descriptors.ts makes the same again.
//
// What a literal cannot say stops the build.

import { readFile } from "node:fs/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { protoCamelCase, safeObjectProperty } from "@bufbuild/protobuf/reflect";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

const GROUP = 10;
const ENCODED = /fileDesc\(\s*"([^"]+)"/;

/** The source of a generated file, with a literal in place of the binary form. */
export async function withLiteral(path) {
  const source = await readFile(path, "utf8");
  return source.replace(ENCODED, (_, encoded) => {
    const file = fromBinary(FileDescriptorProtoSchema, base64Decode(encoded));
    return `fileDesc(${JSON.stringify(literalOf(file))}`;
  });
}

/** [name, package, messages, enums, services] */
export function literalOf(file) {
  const { name, package: scope, syntax, messageType, enumType, service, extension } = file;
  if (syntax !== "proto3" || extension.length > 0) throw new Error(`${name}: not plain proto3`);
  const types = [messageType.map(messageOf), enumType.map(enumOf)];
  return [name.replace(/\.proto$/, ""), scope, ...types, service.map(serviceOf)];
}

/** [name, fields, oneofs, nested messages, nested enums, whether it is the entry of a map] */
function messageOf({ name, field, oneofDecl, nestedType, enumType, options, extension }) {
  plain(name, !options?.messageSetWireFormat && extension.length === 0);
  const oneofs = oneofDecl.map((oneof) => localNameOf(oneof.name));
  const nested = [nestedType.map(messageOf), enumType.map(enumOf)];
  const message = [name, field.map(fieldOf), oneofs, ...nested, options?.mapEntry ? 1 : 0];
  while (message.length > 2 && (message.at(-1) === 0 || message.at(-1).length === 0)) message.pop();
  return message;
}

/** [name, number, type, type name, label, place of the oneof, optional] */
function fieldOf(field) {
  const { name, number, type, typeName, label, proto3Optional, options, defaultValue } = field;
  plain(name, type !== GROUP && !defaultValue && options?.packed !== false && !options?.jstype);
  const oneof = Object.hasOwn(field, "oneofIndex") ? field.oneofIndex : -1;
  const more = [typeName.slice(1), label, oneof, proto3Optional ? 1 : 0];
  const said = [localNameOf(name), number, type, ...more];
  const unsaid = ["", 0, 0, "", 1, -1, 0];
  while (said.length > 3 && said.at(-1) === unsaid[said.length - 1]) said.pop();
  return said;
}

/** [name, numbers] */
function enumOf({ name, value }) {
  return [name, ...value.map(({ number }) => number)];
}

/** [name, methods] with each method as [name, input, output, streams out, streams in] */
function serviceOf({ name, method }) {
  const methodOf = ({ name, inputType, outputType, clientStreaming, serverStreaming, options }) => {
    plain(name, !options?.idempotencyLevel);
    const streams = serverStreaming || clientStreaming;
    const types = [inputType.slice(1), outputType.slice(1)];
    return [name, ...types, ...(streams ? [+serverStreaming, +clientStreaming] : [])];
  };
  return [name, method.map(methodOf)];
}

function localNameOf(name) {
  return safeObjectProperty(protoCamelCase(name));
}

function plain(name, is) {
  if (!is) throw new Error(`${name}: the page's form of descriptors cannot say this`);
}
