//! The compose file as far as it speaks to the services: commands and settings
//! that they understand, and one file in which the secret of task-service is
//! left by the one and found by the other.

use std::path::{Path, PathBuf};

use auth_service::config::{Command as AuthCommand, Config as AuthConfig, ServiceAccountCommand};
use clap::{CommandFactory, Parser as _};
use task_service::config::{Command as TaskCommand, Config as TaskConfig};

const FILE: &str = include_str!("../../../docker-compose.yml");

/// What the file says of a service, line by line.
fn service(name: &str) -> Vec<&'static str> {
    let head = format!("  {name}:");
    let lines = FILE.lines().skip_while(|line| !line.starts_with("services:"));
    let own = lines.skip_while(|line| *line != head).skip(1);
    let own: Vec<_> = own.take_while(|line| line.is_empty() || line.starts_with("   ")).collect();
    assert!(!own.is_empty(), "there is no {name}");
    own
}

/// The list under a key, written in either way.
fn list(name: &str, key: &str) -> Vec<&'static str> {
    let own = service(name);
    let head = format!("    {key}:");
    let mut lines = own.iter().skip_while(|line| !line.starts_with(&head));
    let rest = lines.next().and_then(|line| line.strip_prefix(&head)).unwrap_or_default().trim();
    let quotes = ['"', ' '];
    if let Some(inline) = rest.strip_prefix('[') {
        let inline = inline.strip_suffix(']').expect("a list on one line");
        return inline.split(',').map(|entry| entry.trim_matches(quotes)).collect();
    }
    let entries = lines.map_while(|line| line.strip_prefix("      - "));
    entries.map(|entry| entry.trim_matches(quotes)).collect()
}

/// The settings of a service.
fn settings(name: &str) -> Vec<(&'static str, &'static str)> {
    let own = service(name);
    let lines = own.iter().skip_while(|line| **line != "    environment:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("      "));
    let lines = lines.map(|line| line.trim()).filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(": ").expect("a name and a value")).collect()
}

/// The command line of a service.
fn line(program: &'static str, name: &str) -> Vec<&'static str> {
    [&[program], &list(name, "command")[..]].concat()
}

/// Where a service has the volume of that name.
fn mounted(name: &str, volume: &str) -> PathBuf {
    let volumes = list(name, "volumes");
    let found = volumes.iter().find_map(|entry| entry.strip_prefix(&format!("{volume}:")));
    PathBuf::from(found.expect("the volume").trim_end_matches(":ro"))
}

/// Checks that every setting of these services is one of the program's.
fn are_known<Config: CommandFactory>(services: &[&str]) {
    let command = Config::command();
    let known: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
    for name in services {
        let settings = settings(name);
        assert!(!settings.is_empty(), "{name}");
        for (setting, _) in settings {
            assert!(known.iter().any(|it| *it == setting), "{name}: {setting}");
        }
    }
}

#[test]
fn the_services_understand_what_the_compose_file_says() {
    let auth = |name| AuthConfig::try_parse_from(line("auth-service", name)).unwrap();
    let task = |name| TaskConfig::try_parse_from(line("task-service", name)).unwrap();
    assert_eq!(auth("auth-migrate").command, Some(AuthCommand::Migrate));
    assert_eq!(auth("auth-service").command, None);
    assert_eq!(task("task-migrate").command, Some(TaskCommand::Migrate));
    assert_eq!(task("task-service").command, None);
    assert_eq!(FILE.matches(" command:").count(), 3, "another command is not looked at");
    are_known::<AuthConfig>(&["auth-migrate", "auth-service", "task-identity"]);
    are_known::<TaskConfig>(&["task-migrate", "task-service"]);
}

#[test]
fn task_service_finds_its_secret_where_it_is_left() {
    let identity = AuthConfig::try_parse_from(line("auth-service", "task-identity")).unwrap();
    let Some(AuthCommand::ServiceAccount(ServiceAccountCommand::Ensure(ensured))) =
        identity.command
    else {
        panic!("no account is made")
    };
    assert_eq!(
        (ensured.name.as_str(), &ensured.scopes[..]),
        ("task-service", &["trust:watch".to_owned()][..])
    );
    let file = settings("task-service");
    let file = file.iter().find(|(name, _)| *name == "TASK_SERVICE_SECRET_FILE").unwrap().1;
    assert_eq!(ensured.secret_file, Path::new(file));
    for service in ["task-identity", "task-service"] {
        let place = mounted(service, "task-identity");
        assert_eq!(Some(&*place), ensured.secret_file.parent(), "{service}");
    }
}
