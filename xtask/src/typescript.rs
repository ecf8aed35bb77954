//! `web/client/src/gen`: the contract in TypeScript, by `protoc-gen-es` from
//! npm, fed with descriptors that no protoc and no buf are needed for.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use protox::prost::Message as _;

use crate::{
    generated::Generated,
    workspace::{command, files, root},
};

const PLUGIN: &str = "web/node_modules/.bin/protoc-gen-es";
const OUT: &str = "web/client/src/gen";
/// Where the contract is, and what the client adds to it.
const SOURCES: [&str; 2] = ["proto/", "web/client/proto/"];

/// Whether the generator is installed; `npm ci` in `web/` does that.
pub(crate) fn at_hand() -> bool {
    root().join(PLUGIN).exists()
}

/// The generated files.
///
/// # Errors
/// If the contract does not compile, or the generator refuses it.
pub(crate) fn generate() -> anyhow::Result<Generated> {
    let mut generated = Generated::default();
    let mut folders = BTreeSet::from([PathBuf::from(OUT)]);
    for file in run(&request()?)?.file {
        let path = Path::new(OUT).join(file.name());
        let within = path.ancestors().skip(1).take_while(|folder| folder.starts_with(OUT));
        folders.extend(within.map(Path::to_owned));
        generated.file(path, file.content().to_owned());
    }
    for folder in folders {
        generated.folder(folder);
    }
    Ok(generated)
}

fn request() -> anyhow::Result<CodeGeneratorRequest> {
    let mut compiler = protox::Compiler::new(SOURCES.map(|source| root().join(source)))?;
    compiler.include_source_info(true).include_imports(true);
    let mut file_to_generate = Vec::new();
    for file in files(".proto")? {
        if let Some(file) = SOURCES.iter().find_map(|source| file.strip_prefix(source)) {
            compiler.open_file(file)?;
            file_to_generate.push(file.to_owned());
        }
    }
    Ok(CodeGeneratorRequest {
        file_to_generate,
        parameter: Some("target=ts,import_extension=ts".to_owned()),
        proto_file: compiler.file_descriptor_set().file,
        ..CodeGeneratorRequest::default()
    })
}

/// A generator reads its request from standard input and writes the answer to
/// standard output.
fn run(request: &CodeGeneratorRequest) -> anyhow::Result<CodeGeneratorResponse> {
    let mut plugin = command(root().join(PLUGIN), &[]);
    let mut plugin = plugin.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = plugin.stdin.take().context("a generator without an input")?;
    // It reads everything before it writes anything.
    stdin.write_all(&request.encode_to_vec())?;
    drop(stdin);
    let mut answer = Vec::new();
    plugin.stdout.take().context("a generator without an output")?.read_to_end(&mut answer)?;
    let status = plugin.wait()?;
    anyhow::ensure!(status.success(), "{PLUGIN}: {status}");
    let answer = CodeGeneratorResponse::decode(answer.as_slice())?;
    anyhow::ensure!(answer.error.is_none(), "{PLUGIN}: {}", answer.error());
    Ok(answer)
}
