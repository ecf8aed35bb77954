// Builds the page into a folder: index.html, and under assets/ the modules, one
// style sheet and the icon, their names bound to their contents; everything is
// there compressed as well. What is imported when it is asked for becomes a
// module of its own. `node build.mjs [--out <folder>]`

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { withLiteral } from "./descriptors.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { out: { type: "string", default: join(here, "dist") } } });
const out = values.out;

// The services are called in binary, so protobuf's JSON form is left out: it
// would be a tenth of the page. So is its way of reading descriptors, which is
// worth as much: see descriptors.mjs.
const STAND_INS = [
  [/^\.{1,2}\/(from|to)-json\.js$/, "no-json.ts"],
  [/\/codegenv2\/file\.js$|^\.\/file\.js$/, "descriptors.ts"],
];
const OF_PROTOBUF = /(any|duration|field_mask|timestamp)_pb\.js$/;
const FIRST = "src/main.tsx";
const PRELOAD = '    <link rel="modulepreload" href="/assets/{}">\n';

const slimProtobuf = {
  name: "slim-protobuf",
  setup({ onResolve, onLoad }) {
    for (const [filter, standIn] of STAND_INS) {
      onResolve({ filter }, ({ importer }) =>
        importer.includes(join("@bufbuild", "protobuf"))
          ? { path: join(here, "src", standIn) }
          : undefined,
      );
    }
    onLoad({ filter: /_pb\.[jt]s$/ }, async ({ path }) => {
      // Protobuf names all its own files, of which the page uses these; with any
      // other it would not start.
      const own = path.includes(join("wkt", "gen")) && !OF_PROTOBUF.test(path);
      if (own) return undefined;
      return { contents: await withLiteral(path), loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

await rm(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx", "src/main.css", "src/icon.svg"],
  outdir: join(out, "assets"),
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".svg": "copy" },
  bundle: true,
  splitting: true,
  chunkNames: "[name]-[hash]",
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  metafile: true,
  plugins: [slimProtobuf],
});

// index.html names the sources; here they become what was built from them.
let page = await readFile(join(here, "index.html"), "utf8");
for (const [built, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
  const source = entryPoint ?? Object.keys(inputs)[0];
  page = page.replaceAll(`"/${source}"`, `"/assets/${built.split("/").pop()}"`);
}
// What the first module imports is asked for at once with it.
const modules = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === FIRST);
const ahead = modules.imports.filter(({ kind }) => kind === "import-statement");
const preload = ahead.map(({ path }) => PRELOAD.replace("{}", path.split("/").pop()));
page = page.replace("    <script", `${preload.join("")}    <script`);
if (page.includes('"/src/')) throw new Error("index.html names a source that was not built");
await mkdir(out, { recursive: true });
await writeFile(join(out, "index.html"), page);

const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
for (const file of [
  "index.html",
  ...(await readdir(join(out, "assets"))).map((f) => `assets/${f}`),
]) {
  const bytes = await readFile(join(out, file));
  const gzip = gzipSync(bytes, { level: 9 });
  const brotli = brotliCompressSync(bytes, quality);
  await writeFile(join(out, `${file}.gz`), gzip);
  await writeFile(join(out, `${file}.br`), brotli);
  console.log(`${file}: ${bytes.length} bytes, ${gzip.length} gzip, ${brotli.length} brotli`);
}
