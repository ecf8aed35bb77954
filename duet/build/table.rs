//! The table of the page's files as Rust source: an expression of the type
//! `Result<Vec<Asset>, &'static str>`, the error saying why there is no page.
//! Names, media types and versions are settled here; how files are served is
//! the matter of `src/up/page`.

use std::{
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::Path,
};

/// By the ending of its name, what a file is.
const MEDIA_TYPES: [(&str, &str); 9] = [
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
];

/// Lists `index.html` and everything directly under `assets`.
pub(crate) fn of(page: &Path) -> io::Result<String> {
    let page = page.canonicalize().map_err(|error| wrong(&page.display(), &error))?;
    let mut table = String::from("Ok(vec![\n");
    add(&mut table, &page, "index.html")?;
    let mut names = Vec::new();
    for entry in fs::read_dir(page.join("assets"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for name in names.iter().filter(|name| !name.ends_with(".gz") && !name.ends_with(".br")) {
        add(&mut table, &page, &format!("assets/{name}"))?;
    }
    table.push_str("])\n");
    Ok(table)
}

/// Writes the table, or why there is none.
pub(crate) fn write(table: &Result<String, &str>, to: &Path) -> io::Result<()> {
    match table {
        Ok(table) => fs::write(to, table),
        Err(why) => fs::write(to, format!("Err({why:?})\n")),
    }
}

fn add(table: &mut String, page: &Path, name: &str) -> io::Result<()> {
    let file = page.join(name);
    let bytes = fs::read(&file).map_err(|error| wrong(&file.display(), &error))?;
    let ending = name.rsplit('.').next().unwrap_or_default();
    let Some((_, media_type)) = MEDIA_TYPES.iter().find(|(known, _)| *known == ending) else {
        let error = "its media type is not known to duet/build/table.rs";
        return Err(wrong(&file.display(), &error));
    };
    let compressed = |suffix: &str| {
        let path = page.join(format!("{name}.{suffix}"));
        if path.exists() { format!("Some({})", include(&path)) } else { "None".to_owned() }
    };
    let (path, etag, identity) = (format!("/{name}"), etag(&bytes), include(&file));
    let (gzip, brotli) = (compressed("gz"), compressed("br"));
    writeln!(
        table,
        "Asset {{ path: {path:?}, media_type: {media_type:?}, etag: Some({etag:?}), \
         identity: {identity}, gzip: {gzip}, brotli: {brotli} }},"
    )
    .map_err(io::Error::other)
}

fn include(file: &Path) -> String {
    format!("Bytes::from_static(include_bytes!({:?}))", file.display().to_string())
}

/// Names the content, whatever it is compressed with: hence a weak one.
fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}

fn wrong(what: &dyn std::fmt::Display, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{what}: {error}"))
}
