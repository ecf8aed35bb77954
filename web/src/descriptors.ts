// What stands in the built page where protobuf reads descriptors: it takes the
// literals of descriptors.mjs instead of the binary form, and makes of them what
// protobuf would make of plain proto3, as far as it is read there; a test
// compares. See build.mjs.

import type { DescEnum, DescField, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";

type Enum = [name: string, ...numbers: number[]];
type Field = [string, number, number, string?, number?, number?, number?];
type Message = [string, Field[], string[]?, Message[]?, Enum[]?, number?];
type Method = [string, string, string, number?, number?];
type Literal = [string, string, Message[], Enum[], [name: string, methods: Method[]][]];

type Writable<T> = { -readonly [K in keyof T]: T[K] };

// google.protobuf.FieldDescriptorProto
const REPEATED = 3;
const KINDS: Record<number, "message" | "enum"> = { 11: "message", 14: "enum" };
const UNPACKED = [9, 12];
// google.protobuf.FeatureSet.FieldPresence
const EXPLICIT = 1;
const IMPLICIT = 2;
const PROTO3 = 999;

/** Every message and enum by its full name; those of imported files are there first. */
const types = new Map<string, DescMessage | DescEnum>();

/** As protobuf's own, which takes the binary form. */
export function fileDesc([name, scope, messages, enums, services]: Literal): DescFile {
  const file = { kind: "file", name, edition: PROTO3 } as Writable<DescFile>;
  const fill: (() => void)[] = [];
  file.enums = enums.map((literal) => enumOf(scope, literal));
  file.messages = messages.map((literal) => messageOf(file, scope, literal, fill));
  // Fields may be of types that come later.
  for (const each of fill) each();
  file.services = services.map((literal) => serviceOf(scope, literal));
  return file;
}

function enumOf(scope: string, [name, ...numbers]: Enum): DescEnum {
  const typeName = `${scope}.${name}`;
  const values = numbers.map((number) => ({ kind: "enum_value", number }));
  const desc = { kind: "enum", name, typeName, open: true, values } as unknown as DescEnum;
  types.set(typeName, desc);
  return desc;
}

function messageOf(file: DescFile, scope: string, literal: Message, fill: (() => void)[]) {
  const [name, fields, oneofs = [], nested = [], enums = []] = literal;
  const typeName = `${scope}.${name}`;
  const desc = {
    kind: "message",
    file,
    name,
    typeName,
    fields: [] as DescField[],
  } as Writable<DescMessage>;
  types.set(typeName, desc);
  desc.nestedEnums = enums.map((each) => enumOf(typeName, each));
  const inner = nested.map((each) => messageOf(file, typeName, each, fill));
  desc.nestedMessages = inner.filter((_, at) => !nested[at]?.[5]);
  const entries = new Map(
    inner.map((each, at) => [each.typeName, nested[at]?.[5] ? each : undefined]),
  );
  fill.push(() => {
    const groups = oneofs.map((localName) => {
      return { kind: "oneof", name: localName, localName, parent: desc, fields: [] as DescField[] };
    });
    const all = fields.map((each) => fieldOf(desc, groups, entries, each));
    const members = new Set(all.map((field) => field.oneof ?? field));
    const field = Object.fromEntries(all.map((each) => [each.localName, each]));
    const used = groups.filter((group) => group.fields.length > 0);
    Object.assign(desc, { fields: all, field, members: [...members], oneofs: used });
  });
  return desc;
}

function fieldOf(
  parent: DescMessage,
  oneofs: { fields: DescField[] }[],
  entries: ReadonlyMap<string, DescMessage | undefined>,
  [localName, number, type, typeName = "", label, at = -1, optional]: Field,
): DescField {
  const oneof = optional ? undefined : oneofs[at];
  const isList = label === REPEATED;
  const kind = KINDS[type] ?? "scalar";
  const entry = entries.get(typeName);
  const field = {
    kind: "field",
    name: localName,
    localName,
    number,
    parent,
    oneof,
    presence: !isList && (oneof || optional || kind === "message") ? EXPLICIT : IMPLICIT,
    utf8Validation: true,
    longAsString: false,
    getDefaultValue: () => undefined,
    delimitedEncoding: kind === "message" ? false : undefined,
    fieldKind: isList ? "list" : kind,
    [kind]: kind === "scalar" ? type : types.get(typeName),
    ...(isList && { listKind: kind, packed: kind !== "message" && !UNPACKED.includes(type) }),
    ...(entry && mapOf(entry)),
  } as unknown as DescField;
  oneof?.fields.push(field);
  return field;
}

/** What a field has in common with the entries of its map. */
function mapOf({ fields: [key, value] }: DescMessage): object {
  const { fieldKind, scalar, message } = value as DescField;
  const of = { scalar, message, enum: value?.enum };
  return {
    ...of,
    fieldKind: "map",
    mapKind: fieldKind,
    mapKey: key?.scalar,
    listKind: undefined,
    packed: undefined,
  };
}

function serviceOf(scope: string, [name, methods]: [string, Method[]]): DescService {
  const service = { kind: "service", name, typeName: `${scope}.${name}` } as Writable<DescService>;
  service.methods = methods.map(([name, input, output, streamsOut, streamsIn]) => {
    const streams = [streamsIn && "client", streamsOut && "server"].filter(Boolean);
    const kind = streams.length > 1 ? "bidi_streaming" : `${streams[0]}_streaming`;
    return {
      kind: "rpc",
      name,
      localName: name.charAt(0).toLowerCase() + name.slice(1),
      parent: service,
      methodKind: streams.length > 0 ? kind : "unary",
      input: types.get(input),
      output: types.get(output),
      idempotency: 0,
    } as DescService["methods"][number];
  });
  service.method = Object.fromEntries(service.methods.map((method) => [method.localName, method]));
  return service;
}
