//! Good tokens that are brought in a wrong way, and no token at all.

use super::{Forge, Row, Verdict, Whose};

pub(super) fn schemes(forge: &mut Forge<'_>) {
    forge.family("scheme");
    let token = forge.token();
    for scheme in ["bearer", "BEARER", "bEaReR", "Bearer  "] {
        let header = format!("{scheme} {token}");
        one(forge, &format!("{scheme:?}"), &header, Verdict::Believed(Whose::User));
    }
    let refused = [
        ("empty", String::new()),
        ("the scheme alone", "Bearer".to_owned()),
        ("the token alone", token.clone()),
        ("Basic", format!("Basic {token}")),
        ("Basic with a name", "Basic YWRhOmh1bnRlcjI=".to_owned()),
        ("Digest", format!("Digest {token}")),
        ("Token", format!("Token {token}")),
        ("JWT", format!("JWT {token}")),
        ("DPoP", format!("DPoP {token}")),
        ("MAC", format!("MAC id=\"{token}\"")),
        ("BearerX", format!("BearerX {token}")),
        ("Bearer with a colon", format!("Bearer: {token}")),
        ("Bearer with a sign", format!("Bearer={token}")),
        ("Bearer with a tabulator", format!("Bearer\t{token}")),
        ("Bearer with a name", format!("Bearer token={token}")),
        ("Bearer without a blank", format!("Bearer{token}")),
        ("Bearer twice", format!("Bearer Bearer {token}")),
        ("two tokens", format!("Bearer {token} {token}")),
        ("two tokens with a comma", format!("Bearer {token},{token}")),
        ("two credentials with a comma", format!("Bearer {token}, Bearer {token}")),
        ("two credentials with a semicolon", format!("Bearer {token}; Bearer {token}")),
        ("a scheme before", format!("Basic x, Bearer {token}")),
        ("quotes", format!("Bearer \"{token}\"")),
        ("brackets", format!("Bearer <{token}>")),
        ("a letter from elsewhere", format!("Bearer {token}é")),
        ("null", "Bearer null".to_owned()),
        ("undefined", "Bearer undefined".to_owned()),
    ];
    for (name, header) in refused {
        one(forge, name, &header, Verdict::Refused);
    }
    let good = format!("Bearer {token}");
    for (name, headers) in [
        ("two headers", [good.as_str(), &good]),
        ("two headers, the second empty", [&good, ""]),
        ("two headers, the first empty", ["", &good]),
        ("two headers, the second bad", [&good, "Bearer x"]),
        ("two headers, the first bad", ["Basic x", &good]),
    ] {
        several(forge, name, &headers, Verdict::Refused);
    }
    let latin = [good.as_bytes(), b"\xe9"].concat();
    push(forge, "no UTF-8", vec![latin], Verdict::Refused);
    several(forge, "none", &[], Verdict::Missing);
}

fn one(forge: &mut Forge<'_>, name: &str, header: &str, verdict: Verdict) {
    several(forge, name, &[header], verdict);
}

fn several(forge: &mut Forge<'_>, name: &str, headers: &[&str], verdict: Verdict) {
    let headers = headers.iter().map(|header| header.as_bytes().to_vec()).collect();
    push(forge, name, headers, verdict);
}

fn push(forge: &mut Forge<'_>, name: &str, authorization: Vec<Vec<u8>>, verdict: Verdict) {
    let name = format!("{}: {name}", forge.family);
    forge.rows.push(Row { name, authorization, verdict });
}
