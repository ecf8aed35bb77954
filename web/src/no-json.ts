// What stands in the built page where protobuf's JSON and text form would:
// nothing calls it, because the services are called in binary, and defaults that
// are written as text are of proto2. See build.mjs.

function leftOut(): never {
  throw new Error("Protobuf's JSON and text form are left out of this page.");
}

export {
  leftOut as enumFromJson,
  leftOut as enumToJson,
  leftOut as fromJson,
  leftOut as fromJsonString,
  leftOut as isEnumJson,
  leftOut as mergeFromJson,
  leftOut as mergeFromJsonString,
  leftOut as parseTextFormatEnumValue,
  leftOut as parseTextFormatScalarValue,
  leftOut as toJson,
  leftOut as toJsonString,
};
