// What stands in the built page where protobuf reads descriptors: it takes the
// literals of descriptors.mjs instead of the binary form, and makes the same of
// them. See build.mjs.

import { createFileRegistry, type DescFile } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

type Enum = [name: string, values: [name: string, number: number][]];
type Field = [string, number, number, string?, number?, number?, number?];
type Message = [string, Field[], string[]?, Message[]?, Enum[]?, number?];
type Method = [string, string, string, number?, number?];
type Literal = [string, string, Message[], Enum[], [name: string, methods: Method[]][]];

/** As protobuf's own, which takes the binary form. */
export function fileDesc(literal: Literal, imports: DescFile[] = []): DescFile {
  const [name, scope, messages, enums, services] = literal;
  const file = {
    $typeName: "google.protobuf.FileDescriptorProto",
    name,
    package: scope,
    syntax: "proto3",
    dependency: imports.map(({ proto }) => proto.name),
    extension: [],
    messageType: messages.map(messageOf),
    enumType: enums.map(enumOf),
    service: services.map(([name, methods]) => ({ name, method: methods.map(methodOf) })),
  };
  const find = (wanted: string) => imports.find(({ proto }) => proto.name === wanted);
  const registry = createFileRegistry(file as unknown as FileDescriptorProto, find);
  return registry.getFile(name) as DescFile;
}

function messageOf([
  name,
  fields,
  oneofs = [],
  nested = [],
  enums = [],
  mapEntry,
]: Message): object {
  return {
    name,
    field: fields.map(fieldOf),
    oneofDecl: oneofs.map((name) => ({ name })),
    nestedType: nested.map(messageOf),
    enumType: enums.map(enumOf),
    extension: [],
    options: { mapEntry: mapEntry === 1 },
  };
}

function fieldOf([name, number, type, typeName = "", label = 1, oneof = -1, optional]: Field) {
  return {
    name,
    // Read of the JSON form only, which is left out.
    jsonName: name,
    number,
    type,
    typeName,
    label,
    proto3Optional: optional === 1,
    ...(oneof >= 0 && { oneofIndex: oneof }),
  };
}

function enumOf([name, values]: Enum) {
  return { name, value: values.map(([name, number]) => ({ name, number })) };
}

function methodOf([name, inputType, outputType, serverStreaming, clientStreaming]: Method) {
  return {
    name,
    inputType,
    outputType,
    serverStreaming: !!serverStreaming,
    clientStreaming: !!clientStreaming,
  };
}
