// Builds the page into a folder: index.html, and under assets/ one module, one
// style sheet and the icon, their names bound to their contents; everything is
// there compressed as well. `node build.mjs [--out <folder>]`

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { out: { type: "string", default: join(here, "dist") } } });
const out = values.out;

// The services are called in binary, so protobuf's JSON form is left out: it
// would be a tenth of the page.
const withoutJson = {
  name: "without-json",
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/(from|to)-json\.js$/ }, ({ importer }) =>
      importer.includes(join("@bufbuild", "protobuf"))
        ? { path: join(here, "src", "no-json.ts") }
        : undefined,
    );
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
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  metafile: true,
  plugins: [withoutJson],
});

// index.html names the sources; here they become what was built from them.
let page = await readFile(join(here, "index.html"), "utf8");
for (const [built, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
  const source = entryPoint ?? Object.keys(inputs)[0];
  page = page.replaceAll(`"/${source}"`, `"/assets/${built.split("/").pop()}"`);
}
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
