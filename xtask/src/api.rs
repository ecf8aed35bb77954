//! `docs/api.md`: the contract as a page, from the comments of the `.proto`
//! files. It holds what they say and nothing of its own.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use crate::workspace::{files, root};

const HEAD: &str = "\
# API

Made from the comments in `proto/` by `cargo xtask gen`; do not edit.
";

// Numbers of the fields of FileDescriptorProto, ServiceDescriptorProto,
// DescriptorProto and EnumDescriptorProto: what paths to comments are made of.
const MESSAGE: i32 = 4;
const ENUM: i32 = 5;
const SERVICE: i32 = 6;
const PART: i32 = 2;
const NESTED_MESSAGE: i32 = 3;
const NESTED_ENUM: i32 = 4;

/// The page.
pub(crate) fn page() -> anyhow::Result<String> {
    let mut compiler = protox::Compiler::new([root().join("proto")])?;
    compiler.include_source_info(true);
    for file in files(".proto")? {
        // Others are examples.
        if let Some(file) = file.strip_prefix("proto/") {
            compiler.open_file(file)?;
        }
    }
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for file in compiler.file_descriptor_set().file {
        let file = File::new(file);
        let package = packages.entry(file.package.clone()).or_default();
        file.describe(package)?;
    }
    let mut page = HEAD.to_owned();
    for (name, Package { services, types }) in packages {
        write!(page, "\n## {name}\n{services}{types}")?;
    }
    Ok(page)
}

/// The texts of a package; services come first.
#[derive(Default)]
struct Package {
    services: String,
    types: String,
}

struct File {
    package: String,
    descriptor: FileDescriptorProto,
    comments: HashMap<Vec<i32>, String>,
}

impl File {
    fn new(mut descriptor: FileDescriptorProto) -> Self {
        let locations = descriptor.source_code_info.take().unwrap_or_default().location;
        let comment = |location: prost_types::source_code_info::Location| {
            Some((location.path, location.leading_comments?))
        };
        let comments = locations.into_iter().filter_map(comment).collect();
        Self { package: descriptor.package().to_owned(), descriptor, comments }
    }

    fn describe(&self, package: &mut Package) -> anyhow::Result<()> {
        for (service, path) in self.descriptor.service.iter().zip(0..) {
            self.service(&mut package.services, service, path)?;
        }
        for (message, path) in self.descriptor.message_type.iter().zip(0..) {
            self.message(&mut package.types, message.name(), message, &[MESSAGE, path])?;
        }
        for (values, path) in self.descriptor.enum_type.iter().zip(0..) {
            self.values(&mut package.types, values.name(), values, &[ENUM, path])?;
        }
        Ok(())
    }

    fn service(
        &self,
        page: &mut String,
        service: &ServiceDescriptorProto,
        path: i32,
    ) -> anyhow::Result<()> {
        self.heading(page, service.name(), &[SERVICE, path])?;
        writeln!(page, "\n| method | takes | answers | |\n|---|---|---|---|")?;
        for (method, part) in service.method.iter().zip(0..) {
            let (name, text) = (method.name(), self.cell(&[SERVICE, path, PART, part]));
            let (takes, answers) = (link(method.input_type()), link(method.output_type()));
            writeln!(page, "| `{name}` | {takes} | {answers} | {text} |")?;
        }
        Ok(())
    }

    fn message(
        &self,
        page: &mut String,
        name: &str,
        message: &DescriptorProto,
        path: &[i32],
    ) -> anyhow::Result<()> {
        self.heading(page, name, path)?;
        if !message.field.is_empty() {
            writeln!(page, "\n| field | type | |\n|---|---|---|")?;
        }
        for (field, part) in message.field.iter().zip(0..) {
            let text = self.cell(&[path, &[PART, part]].concat());
            let kind = kind(message, field);
            writeln!(page, "| `{}` = {} | {kind} | {text} |", field.name(), field.number())?;
        }
        for (nested, part) in message.nested_type.iter().zip(0..) {
            if !is_map(nested) {
                let name = format!("{name}.{}", nested.name());
                self.message(page, &name, nested, &[path, &[NESTED_MESSAGE, part]].concat())?;
            }
        }
        for (nested, part) in message.enum_type.iter().zip(0..) {
            let name = format!("{name}.{}", nested.name());
            self.values(page, &name, nested, &[path, &[NESTED_ENUM, part]].concat())?;
        }
        Ok(())
    }

    fn values(
        &self,
        page: &mut String,
        name: &str,
        values: &EnumDescriptorProto,
        path: &[i32],
    ) -> anyhow::Result<()> {
        self.heading(page, name, path)?;
        writeln!(page, "\n| value | |\n|---|---|")?;
        for (value, part) in values.value.iter().zip(0..) {
            let text = self.cell(&[path, &[PART, part]].concat());
            writeln!(page, "| `{}` = {} | {text} |", value.name(), value.number())?;
        }
        Ok(())
    }

    fn heading(&self, page: &mut String, name: &str, path: &[i32]) -> anyhow::Result<()> {
        let text = self.comment(path).replace("\n ", "\n");
        Ok(writeln!(page, "\n### {}.{name}\n\n{}", self.package, text.trim())?)
    }

    /// A comment as one line of a table.
    fn cell(&self, path: &[i32]) -> String {
        let words: Vec<&str> = self.comment(path).split_whitespace().collect();
        words.join(" ").replace('|', "\\|")
    }

    fn comment(&self, path: &[i32]) -> &str {
        self.comments.get(path).map_or("", String::as_str)
    }
}

/// Whether this type is what a map is made of on the wire.
fn is_map(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
}

fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let entry = message.nested_type.iter().filter(|nested| is_map(nested));
    let entry = entry.clone().find(|entry| {
        field.type_name().rsplit('.').next().is_some_and(|name| name == entry.name())
    });
    if let Some(entry) = entry {
        let parts: Vec<String> = entry.field.iter().map(|part| kind(entry, part)).collect();
        return format!("map<{}>", parts.join(", "));
    }
    let name = match field.r#type() {
        Type::Message | Type::Enum => link(field.type_name()),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    let choice = field.oneof_index.filter(|_| !field.proto3_optional());
    let choice = choice.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
    match choice {
        Some(choice) => format!("{name}, one of `{}`", choice.name()),
        None if field.label() == Label::Repeated => format!("repeated {name}"),
        None if field.proto3_optional() => format!("optional {name}"),
        None => name,
    }
}

/// A type of ours with a link to its heading, or the name of another.
fn link(type_name: &str) -> String {
    let name = type_name.trim_start_matches('.');
    match name.rsplit_once('.') {
        Some((package, short)) if !package.starts_with("google.") => {
            format!("[{short}](#{})", name.replace('.', "").to_lowercase())
        }
        _ => format!("`{name}`"),
    }
}
