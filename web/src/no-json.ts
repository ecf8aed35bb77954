// What stands in the built page where protobuf's JSON form would: nothing calls
// it, because the services are called in binary. See build.mjs.

function leftOut(): never {
  throw new Error("Protobuf's JSON form is left out of this page.");
}

export {
  leftOut as enumFromJson,
  leftOut as enumToJson,
  leftOut as fromJson,
  leftOut as fromJsonString,
  leftOut as isEnumJson,
  leftOut as mergeFromJson,
  leftOut as mergeFromJsonString,
  leftOut as toJson,
  leftOut as toJsonString,
};
