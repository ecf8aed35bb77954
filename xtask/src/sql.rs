//! The query caches of the services, which let them compile without a database:
//! made from their migrations and functions on a throw-away Postgres.
//!
//! Invariant: nothing here needs the cache that it renews.

use std::{fs, path::Path};

use anyhow::Context as _;

use crate::{
    generated::Generated,
    postgres::Postgres,
    workspace::{build, command, output},
};

struct Service {
    /// The crate and its folder.
    name: &'static str,
    /// The schema's name in the crate's `SCHEMA`.
    schema: &'static str,
    /// The variable named in the crate's `sqlx.toml`.
    variable: &'static str,
}

const SERVICES: [Service; 2] = [
    Service { name: "auth-service", schema: "auth", variable: "AUTH_BUILD_DATABASE_URL" },
    Service { name: "task-service", schema: "tasks", variable: "TASK_BUILD_DATABASE_URL" },
];

/// Generates both caches.
pub(crate) fn generate() -> anyhow::Result<Generated> {
    let programs = build(&["embedded-postgres", "shared"])?;
    let postgres = Postgres::start(&programs)?;
    let mut generated = Generated::default();
    for service in &SERVICES {
        service.generate(&programs, &postgres, &mut generated).context(service.name)?;
    }
    Ok(generated)
}

impl Service {
    fn generate(
        &self,
        programs: &Path,
        postgres: &Postgres,
        generated: &mut Generated,
    ) -> anyhow::Result<()> {
        let arguments = [postgres.url(), self.name, self.schema];
        let url = output(&mut command(programs.join("examples/schema"), &arguments))?;

        // Cargo does not know that the macros read these variables. An argument
        // of the compiler that is different every time makes it run them.
        let cache = tempfile::tempdir()?;
        let different = format!("query_cache={:?}", cache.path());
        let rustc = ["rustc", "--quiet", "--profile", "check", "--lib", "--package", self.name];
        let mut compile = command("cargo", &rustc);
        compile.args(["--", "--cfg", &different]);
        compile.env_remove("SQLX_OFFLINE").env("SQLX_OFFLINE_DIR", cache.path());
        output(compile.env(self.variable, url.trim()))?;

        let folder = format!("{}/.sqlx", self.name);
        let mut queries = 0;
        for entry in fs::read_dir(cache.path())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            generated.file(format!("{folder}/{name}"), fs::read_to_string(entry.path())?);
            queries += 1;
        }
        anyhow::ensure!(queries > 0, "the compiler asked the database nothing");
        generated.folder(folder);
        Ok(())
    }
}
