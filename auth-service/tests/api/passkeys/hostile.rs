//! Answers that no passkey of the user gave to what was asked. One sentence is told
//! of all that would end a sign-in or a proof, whatever is wrong.

use proto::auth::v1::{
    BeginReauthenticationResponse, ReauthenticateRequest,
    complete_sign_in_request::Code::PasskeyAssertion, reauthenticate_request,
};
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::{
    asked,
    device::{
        BACKED_UP, HAS_CREDENTIAL, HAS_EXTENSIONS, Key, Making, PUBLIC_URL, Passkey, Signing,
        USER_PRESENT, USER_VERIFIED, begun, confirm, encoded, options, with_passkey,
    },
};
use crate::{
    authenticator::{challenged, complete},
    harness::{PASSWORD, Person, TestApp, Told as _},
};

const LONG: [&str; 4] =
    [PUBLIC_URL, "--access-token-ttl=1h", "--max-auth-age=1h", "--sign-in-free-attempts=1000"];

/// An answer, and what is wrong with it.
type Wrong = (&'static str, String);

/// Answers to `options` of which each differs from a good one in one thing.
fn wrong(passkey: &Passkey, asked: &str) -> Vec<Wrong> {
    let mut wrong = wrong_by_signing(passkey, asked);
    wrong.extend(wrong_by_form(passkey, asked));
    wrong
}

/// Those that a device signed.
fn wrong_by_signing(passkey: &Passkey, asked: &str) -> Vec<Wrong> {
    type Change = fn(&mut Signing<'_>);
    let changes: [(&str, Change); 22] = [
        ("made", |it| it.client["type"] = "webauthn.create".into()),
        ("paid", |it| it.client["type"] = "payment.get".into()),
        ("no type", |it| it.client["type"] = Value::Null),
        ("no challenge", |it| it.client["challenge"] = "".into()),
        ("a random challenge", |it| it.client["challenge"] = encoded(&[7; 32]).into()),
        ("a cut challenge", |it| {
            let text = it.client["challenge"].as_str().unwrap();
            it.client["challenge"] = text[..text.len() - 4].into();
        }),
        ("another origin", |it| it.client["origin"] = "https://evil.test".into()),
        ("a subdomain", |it| it.client["origin"] = "https://a.duet.test".into()),
        ("a longer origin", |it| it.client["origin"] = "https://duet.test.evil.test".into()),
        ("another port", |it| it.client["origin"] = "https://duet.test:8443".into()),
        ("in clear", |it| it.client["origin"] = "http://duet.test".into()),
        ("in a frame", |it| it.client["crossOrigin"] = true.into()),
        ("below another page", |it| it.client["topOrigin"] = "https://evil.test".into()),
        ("another relying party", |it| it.host = "evil.test".to_owned()),
        ("the parent domain", |it| it.host = "test".to_owned()),
        ("nobody there", |it| it.flags = USER_VERIFIED),
        ("backed up what cannot be", |it| it.flags |= BACKED_UP),
        ("another credential", |it| it.id = vec![8; 20]),
        ("no credential", |it| it.id = Vec::new()),
        ("another user's handle", |it| it.handle = Some(vec![0; 16])),
        ("more than it says", |it| it.extensions = b"\xa0".to_vec()),
        ("less than it says", |it| it.flags |= HAS_EXTENSIONS),
    ];
    let mut wrong = Vec::new();
    for (what, change) in changes {
        let mut signing = passkey.signing(asked);
        change(&mut signing);
        wrong.push((what, signing.json()));
    }
    for (what, other) in [("another key", Key::es256()), ("another algorithm", Key::ed25519())] {
        let signing = Signing { key: &other, ..passkey.signing(asked) };
        wrong.push((what, signing.json()));
    }
    wrong
}

/// Those that were changed afterwards, or never were an answer.
fn wrong_by_form(passkey: &Passkey, asked: &str) -> Vec<Wrong> {
    let good = passkey.signing(asked).value();
    let with = |part: &str, value: Value| {
        let mut changed = good.clone();
        changed["response"][part] = value;
        changed.to_string()
    };
    let cut = |part: &str| {
        let text = good["response"][part].as_str().unwrap();
        with(part, text[..text.len() - 4].into())
    };
    let without = |part: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().unwrap().remove(part);
        changed.to_string()
    };
    let spaced = passkey.signing(asked).client.to_string().replace(':', ": ");
    let mut renamed = good.clone();
    renamed["id"] = encoded(&[8; 20]).into();
    let mut retyped = good.clone();
    retyped["type"] = "password".into();
    let mut padded = good.to_string();
    padded.push_str(&" ".repeat(9 * 1024 - padded.len()));
    let twice = good.to_string().replacen('{', "{\"type\":\"public-key\",", 1);
    vec![
        ("cut data", cut("authenticatorData")),
        ("very short data", with("authenticatorData", encoded(&[0; 36]).into())),
        ("no data", with("authenticatorData", "".into())),
        ("cut client data", cut("clientDataJSON")),
        ("client data written anew", with("clientDataJSON", encoded(spaced.as_bytes()).into())),
        ("client data that is none", with("clientDataJSON", encoded(b"[]").into())),
        ("a cut signature", cut("signature")),
        ("no signature", with("signature", "".into())),
        ("zeros", with("signature", encoded(&[0; 64]).into())),
        ("r and s of 0", with("signature", encoded(b"\x30\x06\x02\x01\x00\x02\x01\x00").into())),
        ("base64 with padding", with("signature", "AA==".into())),
        ("a handle of nobody", with("userHandle", "".into())),
        ("two ids", renamed.to_string()),
        ("not a public key", retyped.to_string()),
        ("no id", without("rawId")),
        ("no response", without("response")),
        ("a member twice", twice),
        ("nine KiB", padded),
        ("nothing", String::new()),
        ("garbage", "}{".to_owned()),
        ("a number", "7".to_owned()),
        ("an array", "[]".to_owned()),
        ("deep", "[".repeat(4096)),
        ("an error of a browser", json!({ "name": "NotAllowedError" }).to_string()),
    ]
}

/// What is told of a refusal, all of it.
fn told(refused: &Status) -> (Code, String, Vec<u8>) {
    refused.is(Code::Unauthenticated, "CODE_INVALID");
    (refused.code(), refused.message().to_owned(), refused.details().to_vec())
}

/// Proves by the password and by this answer of a passkey.
pub(super) async fn prove(app: &TestApp, person: &Person, answer: &str) -> Result<String, Status> {
    let code = reauthenticate_request::Code::PasskeyAssertion(answer.to_owned());
    let request = ReauthenticateRequest {
        password: PASSWORD.to_owned(),
        code: Some(code),
        ..ReauthenticateRequest::default()
    };
    let answer = app.account(person.token()).reauthenticate(request).await?;
    Ok(answer.into_inner().access_token)
}

/// Issue 5: whatever is wrong, a sign-in is not ended, and the answer says nothing
/// of what it was. The right one ends the same sign-in.
#[tokio::test]
async fn no_wrong_answer_ends_a_sign_in() {
    let app = TestApp::start_with(&LONG).await;
    for key in [Key::es256(), Key::ed25519()] {
        let name = format!("ada{}", key.algorithm());
        let (ada, passkey) = with_passkey(&app, &name, key).await;
        let (mut first, mut n) = (None, 0);
        loop {
            let challenge = challenged(&app, &ada).await;
            let all = wrong(&passkey, &challenge.passkey_options);
            let Some((what, answer)) = all.into_iter().nth(n) else { break };
            let refused = complete(&app, &challenge.token, PasskeyAssertion(answer)).await;
            let told = told(&refused.err().unwrap_or_else(|| panic!("{what} was taken")));
            assert_eq!(&told, first.get_or_insert_with(|| told.clone()), "{what}");
            let good = PasskeyAssertion(passkey.answer(&challenge.passkey_options));
            complete(&app, &challenge.token, good).await.unwrap();
            n += 1;
        }
        assert!(n > 40, "{n}");
    }
}

/// The same of a proof.
#[tokio::test]
async fn no_wrong_answer_is_a_proof() {
    let app = TestApp::start_with(&LONG).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let BeginReauthenticationResponse { passkey_options, .. } = asked(&app, ada.token()).await;
    let mut first = None;
    for (what, answer) in wrong(&passkey, &passkey_options) {
        let refused = prove(&app, &ada, &answer).await;
        let told = told(&refused.err().unwrap_or_else(|| panic!("{what} was taken")));
        assert_eq!(&told, first.get_or_insert_with(|| told.clone()), "{what}");
    }
    let good = passkey.answer(&passkey_options);
    prove(&app, &ada, &good).await.unwrap();
    let again = prove(&app, &ada, &good).await.err().unwrap();
    assert_eq!(Some(told(&again)), first, "used before");
}

/// An answer is one to its own question: not to another sign-in's, another user's,
/// a proof's or an enrolment's, and not twice.
#[tokio::test]
async fn an_answer_is_good_for_its_own_question() {
    let app = TestApp::start_with(&LONG).await;
    let (ada, of_ada) = with_passkey(&app, "ada", Key::es256()).await;
    let (bob, of_bob) = with_passkey(&app, "bob", Key::es256()).await;
    let [one, other] = [challenged(&app, &ada).await, challenged(&app, &ada).await];
    let of_another_user = challenged(&app, &bob).await;
    let proof = asked(&app, ada.token()).await;
    let made = begun(&app, ada.token()).await;
    let spent = challenged(&app, &ada).await;
    let answered = of_ada.answer(&spent.passkey_options);
    complete(&app, &spent.token, PasskeyAssertion(answered.clone())).await.unwrap();

    let mut stolen = of_ada.signing(&one.passkey_options);
    (stolen.id, stolen.key) = (of_bob.id.clone(), &of_bob.key);
    stolen.handle = Some(of_bob.user.clone());
    let mut of_an_enrolment = of_ada.signing(&other.passkey_options);
    of_an_enrolment.client["challenge"] = options(&made.creation_options)["challenge"].clone();
    let registration = Making::of(&made.creation_options, &of_ada.key);
    let (to_one, to_other) =
        (of_ada.answer(&one.passkey_options), of_ada.answer(&other.passkey_options));
    for (what, challenge, answer) in [
        ("of a sign-in that is over", &one, answered),
        ("of another sign-in", &one, to_other.clone()),
        ("of another user", &one, of_bob.answer(&of_another_user.passkey_options)),
        ("another user's passkey", &one, stolen.json()),
        ("of a proof", &other, of_ada.answer(&proof.passkey_options)),
        ("of an enrolment", &other, of_an_enrolment.json()),
        ("a registration", &other, registration.json()),
    ] {
        let refused = complete(&app, &challenge.token, PasskeyAssertion(answer.clone())).await;
        told(&refused.err().unwrap_or_else(|| panic!("{what} was taken")));
        if what != "of a proof" {
            let refused = prove(&app, &ada, &answer).await;
            told(&refused.err().unwrap_or_else(|| panic!("{what} was a proof")));
        }
    }
    told(&prove(&app, &ada, &to_one).await.err().unwrap());
    for (challenge, answer) in [(&one, to_one), (&other, to_other)] {
        complete(&app, &challenge.token, PasskeyAssertion(answer)).await.unwrap();
    }
    // Bob's is as good as ever for Bob.
    let bobs = PasskeyAssertion(of_bob.answer(&of_another_user.passkey_options));
    complete(&app, &of_another_user.token, bobs).await.unwrap();
}

/// Every fault of what a browser made, by field; after all of them the good one is
/// taken.
#[tokio::test]
async fn no_wrong_registration_is_a_passkey() {
    let app = TestApp::start_with(&LONG).await;
    let ada = app.signed_up("ada").await;
    let bob = app.signed_up("bob").await;
    let elsewhere = app.sign_in(&ada.email, PASSWORD).await.unwrap().access_token;
    let begun_by = async |token: &str| begun(&app, token).await;
    let (mine, another) = (begun_by(ada.token()).await, begun_by(ada.token()).await);
    let (of_bob, of_a_session) = (begun_by(bob.token()).await, begun_by(&elsewhere).await);
    let key = Key::es256();
    let mut all = wrong_registrations(&mine.creation_options, &key);
    for (what, begun) in [
        ("another enrolment", &another),
        ("another user", &of_bob),
        ("another session", &of_a_session),
    ] {
        all.push((what, Making::of(&begun.creation_options, &key).json()));
    }
    for (what, answer) in all {
        let refused = confirm(&app, ada.token(), &mine.name, &answer).await;
        let refused = refused.err().unwrap_or_else(|| panic!("{what} was taken"));
        refused.is(Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(refused.fields(), ["credential"], "{what}");
    }
    let good = Making::of(&mine.creation_options, &key).json();
    let refused = confirm(&app, ada.token(), &of_bob.name, &good).await.unwrap_err();
    refused.is(Code::PermissionDenied, "NOT_YOURS");
    let refused = confirm(&app, ada.token(), "factors/1", &good).await.unwrap_err();
    assert_eq!(refused.fields(), ["name"]);
    let refused = confirm(&app, &elsewhere, &mine.name, &good).await.unwrap_err();
    assert_eq!(refused.fields(), ["credential"], "in another session");
    confirm(&app, ada.token(), &mine.name, &good).await.unwrap();
}

/// Registrations of which each differs from a good one in one thing.
fn wrong_registrations(asked: &str, key: &Key) -> Vec<Wrong> {
    type Change = fn(&mut Making);
    let changes: [(&str, Change); 25] = [
        ("asked who it is", |it| it.client["type"] = "webauthn.get".into()),
        ("no challenge", |it| it.client["challenge"] = "".into()),
        ("a random challenge", |it| it.client["challenge"] = encoded(&[7; 40]).into()),
        ("another origin", |it| it.client["origin"] = "https://evil.test".into()),
        ("a subdomain", |it| it.client["origin"] = "https://a.duet.test".into()),
        ("in a frame", |it| it.client["crossOrigin"] = true.into()),
        ("below another page", |it| it.client["topOrigin"] = "https://evil.test".into()),
        ("another relying party", |it| it.host = "evil.test".to_owned()),
        ("nobody there", |it| it.flags &= !USER_PRESENT),
        ("backed up what cannot be", |it| it.flags |= BACKED_UP),
        ("nothing made", |it| it.flags &= !HAS_CREDENTIAL),
        ("nothing made but extensions", |it| {
            it.flags = it.flags & !HAS_CREDENTIAL | HAS_EXTENSIONS;
            it.extensions = b"\xa0".to_vec();
        }),
        ("less than it says", |it| it.flags |= HAS_EXTENSIONS),
        ("more than it says", |it| it.extensions = b"\xa0".to_vec()),
        ("two ids", |it| it.raw_id = vec![8; 20]),
        ("no id", |it| {
            it.id = Vec::new();
            it.raw_id = Vec::new();
        }),
        ("a very long id", |it| {
            it.id = vec![7; 1024];
            it.raw_id = vec![7; 1024];
        }),
        ("another key", |it| it.spki = Key::es256().spki()),
        ("a key of another kind", |it| it.spki = Key::ed25519().spki()),
        ("no key", |it| it.spki = Vec::new()),
        ("a key and more", |it| it.spki.push(0)),
        ("a point off the curve", |it| {
            it.spki[90] ^= 1;
            it.cose[76] ^= 1;
        }),
        ("another algorithm", |it| it.algorithm = -8),
        ("RS256", |it| it.algorithm = -257),
        ("a key written otherwise", |it| it.cose.swap(1, 3)),
    ];
    let mut wrong = Vec::new();
    for (what, change) in changes {
        let mut making = Making::of(asked, key);
        change(&mut making);
        wrong.push((what, making.json()));
    }
    let good = Making::of(asked, key).value();
    for part in ["clientDataJSON", "authenticatorData", "publicKey", "publicKeyAlgorithm"] {
        let mut without = good.clone();
        without["response"].as_object_mut().unwrap().remove(part);
        wrong.push((part, without.to_string()));
    }
    let mut padded = good.to_string();
    padded.push_str(&" ".repeat(16 * 1024 + 1 - padded.len()));
    wrong.extend([
        ("too much", padded),
        ("nothing", String::new()),
        ("garbage", "}{".to_owned()),
        ("an error of a browser", json!({ "name": "NotAllowedError" }).to_string()),
    ]);
    wrong
}
