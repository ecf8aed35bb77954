//! A terminal that somebody signed in on is a known device, against the real
//! pair: while others guess the password, its owner signs in at once.

use tonic::{Code, Status};

use crate::{
    client::Person,
    harness::{PASSWORD, Up, folder, sign_in},
};

const EMAIL: &str = "ada@example.org";
const SIGN_IN: [&str; 3] = ["sign-in", EMAIL, "--password-stdin"];
const NEW_PASSWORD: &str = "trombone-Walnut-19";

/// Others guess until even they are told to wait.
async fn guess(up: &Up) {
    let mut refused: Vec<Status> = Vec::new();
    while refused.last().is_none_or(|status| status.code() == Code::Unauthenticated) {
        assert!(refused.len() < 50, "nobody stops them");
        refused.push(sign_in(&mut up.auth(), EMAIL, "wrong-One-1").await.unwrap_err());
    }
    assert_eq!(refused.last().unwrap().code(), Code::ResourceExhausted, "{refused:?}");
}

#[tokio::test]
async fn a_known_terminal_does_not_wait_for_the_guesses_of_others() {
    let data = folder();
    // A wait that ends by itself would let anybody in.
    let up = Up::start_with(data.path(), &[("AUTH_SIGN_IN_DELAY", "15m")]).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let elsewhere = Person::new(&up, data.path(), "elsewhere");
    let types = async |person: &Person, line: &[&str], input: &str| {
        let (exit, printed, complaint) = person.types(line, input).await;
        assert!(!format!("{printed}{complaint}").contains("dp1."), "{line:?}");
        (exit, complaint)
    };

    types(&ada, &["sign-out"], "").await;
    guess(&up).await;
    let (exit, complaint) = types(&elsewhere, &SIGN_IN, PASSWORD).await;
    assert_eq!(exit, 8, "a stranger waits: {complaint}");
    // By the pass of the sign-up, and then by that of the sign-in.
    for _ in 0..2 {
        assert_eq!(types(&ada, &SIGN_IN, PASSWORD).await, (0, String::new()));
    }

    // No device is known after that but the one that it was done on.
    let lines = format!("{PASSWORD}\n{NEW_PASSWORD}\n");
    let changed = types(&ada, &["passwd", "--password-stdin"], &lines).await;
    assert_eq!(changed, (0, String::new()));
    types(&ada, &["sign-out"], "").await;
    guess(&up).await;
    let (exit, complaint) = types(&elsewhere, &SIGN_IN, NEW_PASSWORD).await;
    assert_eq!(exit, 8, "a stranger waits: {complaint}");
    assert_eq!(types(&ada, &SIGN_IN, NEW_PASSWORD).await, (0, String::new()));
    up.stop().await;
}
