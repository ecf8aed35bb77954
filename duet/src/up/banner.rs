//! What `duet up` says once everything runs: where things are, and lines to
//! paste.

use std::{io, path::Path};

use super::{
    Addresses, Home, Ports,
    demo::Demo,
    postgres::Postgres,
    settings::{page_url, reachable},
};

/// What is known before the services run.
pub(super) struct Banner {
    addresses: Addresses,
    data: String,
    demo_file: String,
    database: String,
    /// Where mails are put, if they are not sent.
    mail: Option<String>,
}

impl Banner {
    pub(super) fn new(
        ports: &Ports,
        home: &Home,
        postgres: &Postgres,
        mail: Option<&Path>,
    ) -> Self {
        Self {
            addresses: ports.addresses,
            data: home.folder().display().to_string(),
            demo_file: home.demo_user().display().to_string(),
            database: postgres.describe(),
            mail: mail.map(|folder| folder.display().to_string()),
        }
    }

    pub(super) fn print(&self, demo: Option<&Demo>) {
        // If nobody listens, there is nobody to tell.
        let _ = self.write(&mut io::stdout().lock(), demo);
    }

    fn write(&self, out: &mut impl io::Write, demo: Option<&Demo>) -> io::Result<()> {
        let Self { addresses, data, demo_file, database, mail } = self;
        let web = page_url(addresses.web);
        let (auth, task) = (reachable(addresses.auth), reachable(addresses.task));
        writeln!(out, "\nDuet is running. Ctrl-C stops it.\n")?;
        writeln!(out, "  browser       {web}   page, and both services over grpc-web")?;
        writeln!(out, "  auth-service  {auth}   gRPC, grpc-web, /.well-known/jwks.json")?;
        writeln!(out, "  task-service  {task}   gRPC, grpc-web")?;
        writeln!(out, "  data          {data}   {database}")?;
        if let Some(mail) = mail {
            writeln!(out, "  mail          {mail}   one file each")?;
        }
        let (ada, adas) = ("ada@example.com", "walnut-Trombone-91");
        let (email, password) = match demo {
            Some(Demo { email, password }) => {
                writeln!(out, "  demo user     {email}   password {password}")?;
                writeln!(out, "                (also in {demo_file})")?;
                (email.as_str(), password.as_str())
            }
            None => (ada, adas),
        };
        let duet = std::env::args().next().unwrap_or_else(|| "duet".to_owned());
        let call = "grpcurl -plaintext";
        let token = r#"sed -n 's/.*"accessToken": "\(.*\)".*/\1/p'"#;
        let servers = format!("--auth-url http://{auth} --task-url http://{task}");
        writeln!(
            out,
            r#"
Five lines to paste: sign up, sign in, create, list; and the same through duet.

  {call} -d '{{"email":"{ada}","password":"{adas}"}}' {auth} auth.v1.AuthService/SignUp
  TOKEN=$({call} -d '{{"email":"{email}","password":"{password}"}}' {auth} auth.v1.AuthService/SignIn | {token})
  {call} -H "authorization: Bearer $TOKEN" -d '{{"task":{{"title":"Try Duet"}}}}' {task} task.v1.TaskService/CreateTask
  {call} -H "authorization: Bearer $TOKEN" {task} task.v1.TaskService/ListTasks
  printf %s '{password}' | {duet} {servers} sign-in {email} --password-stdin && {duet} add 'Try Duet again' && {duet} ls
"#
        )?;
        out.flush()
    }
}
