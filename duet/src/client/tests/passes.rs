//! What makes this device known: which sign-in brings which pass, and where it
//! is kept.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use proto::auth::v1::{CompleteSignInRequest, SignInRequest, SignOutRequest};

use super::{
    House, Ran,
    owner::{PASS, PASSWORD},
};

const NEW: &str = "trombone-Walnut-19";

impl House {
    fn passes(&self) -> PathBuf {
        self.folder().join("credentials.json.passes")
    }

    /// Signs in, at another house too, with what else is given.
    async fn enters(&self, other: &Self, email: &str, more: &str) -> Ran {
        let line = format!("sign-in {email} --auth-url {} --password-stdin{more}", other.url);
        self.reads(&line, PASSWORD).await
    }

    /// The number of the pass that a good sign-in brought along; 0 is none.
    async fn brings(&self, other: &Self, email: &str) -> u32 {
        let ran = self.enters(other, email, "").await;
        assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
        other.brought()
    }

    fn brought(&self) -> u32 {
        match self.last::<SignInRequest>().device_token.as_str() {
            "" => 0,
            pass => pass.strip_prefix(PASS).expect("a pass").parse().expect("its number"),
        }
    }
}

#[tokio::test]
async fn a_pass_goes_where_it_came_from_with_the_same_address() {
    let (house, other) = (House::new().await, House::new().await);
    assert_eq!(house.brings(&house, "ada@example.com").await, 0);
    assert_eq!(house.brings(&house, "bob@example.com").await, 0, "somebody else");
    assert_eq!(house.brings(&house, "ada@example.com").await, 1);
    assert_eq!(house.brings(&house, "Ada@Example.com").await, 3, "the newest");
    assert_eq!(house.brings(&other, "ada@example.com").await, 0, "another service");
    assert_eq!(house.brings(&other, "ada@example.com").await, 1);
    assert_eq!(house.brings(&house, "bob@example.com").await, 2);

    // A wrong password takes nothing away.
    let line = format!("sign-in ada@example.com --auth-url {} --password-stdin", house.url);
    assert_eq!(house.reads(&line, "wrong-One-1").await.exit, 16);
    assert_eq!(house.brought(), 4);
    assert_eq!(house.brings(&house, "ada@example.com").await, 4);
}

#[tokio::test]
async fn a_sign_out_leaves_the_device_known() {
    let house = House::new().await;
    house.brings(&house, "ada@example.com").await;
    house.sees("sign-out").await;
    assert_eq!(house.asked(|script| script.all::<SignOutRequest>()).len(), 1);
    assert!(!house.file().exists());
    let kept = fs::read_to_string(house.passes()).unwrap();
    assert!(kept.contains(PASS) && !kept.contains("refresh-") && !kept.contains("access-"));
    assert_eq!(house.brings(&house, "ada@example.com").await, 1);
}

#[tokio::test]
async fn the_second_step_brings_the_pass() {
    let house = House::new().await;
    house.asked(|script| script.account.protect(&["123456", "234567", "345678"]));
    assert_eq!(house.enters(&house, "ada@example.com", " --code 123456").await.exit, 0);
    assert_eq!(house.enters(&house, "ada@example.com", " --code 000000").await.exit, 16);
    assert_eq!(house.brought(), 1);
    assert_eq!(house.enters(&house, "ada@example.com", " --code 234567").await.exit, 0);
    assert_eq!(house.brought(), 1, "a wrong code brought none");
    assert_eq!(house.enters(&house, "ada@example.com", " --code 345678").await.exit, 0);
    assert_eq!(house.brought(), 2);
    assert_eq!(house.asked(|script| script.all::<CompleteSignInRequest>()).len(), 4);
}

#[tokio::test]
async fn a_changed_password_brings_a_pass() {
    let house = House::signed_in().await;
    let line = "passwd --password-stdin";
    assert_eq!(house.reads(line, &format!("wrong-One-1\n{NEW}\n")).await.exit, 16);
    assert!(!house.passes().exists());
    let ran = house.reads(line, &format!("{PASSWORD}\n{NEW}\n")).await;
    assert_eq!((ran.exit, ran.output.as_str()), (0, "{}\n"));
    house.asked(|script| script.account.password = PASSWORD.to_owned());
    assert_eq!(house.brings(&house, "ada@example.com").await, 1);
}

#[tokio::test]
async fn a_deleted_account_is_forgotten_and_no_other() {
    let (house, other) = (House::new().await, House::new().await);
    for (place, email) in [(&house, "bob"), (&other, "ada"), (&house, "ada")] {
        house.brings(place, &format!("{email}@example.com")).await;
    }
    house.sees("delete-account --email ada@example.com").await;
    assert!(!house.file().exists());
    assert_eq!(house.brings(&house, "ada@example.com").await, 0);
    assert_eq!(house.brings(&house, "bob@example.com").await, 1);
    assert_eq!(house.brings(&other, "ada@example.com").await, 1);

    let house = House::new().await;
    house.brings(&house, "ada@example.com").await;
    house.sees("delete-account --email ada@example.com").await;
    assert!(!house.passes().exists(), "the last one takes the file with it");
}

#[tokio::test]
async fn a_file_that_is_no_good_keeps_nobody_out() {
    let house = House::new().await;
    assert_eq!(house.brings(&house, "ada@example.com").await, 0);
    let mode = || fs::metadata(house.passes()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(house.passes(), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(house.brings(&house, "ada@example.com").await, 0, "others may have it");
    assert_eq!(mode(), 0o600);
    for damaged in ["", "[{\"deviceToken\": \"dp1.fake-9\"", "{}"] {
        fs::write(house.passes(), damaged).unwrap();
        assert_eq!(house.brings(&house, "ada@example.com").await, 0, "{damaged}");
    }
    assert_eq!(house.brings(&house, "ada@example.com").await, 5);
    let mut left: Vec<_> = fs::read_dir(house.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["credentials.json", "credentials.json.lock", "credentials.json.passes"]);
}
