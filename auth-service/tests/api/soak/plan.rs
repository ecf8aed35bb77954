//! What a seed decides: who does what with the account, over which replica, and
//! what is killed when.
//!
//! Invariant: nothing here depends on the time or on an answer. A seed always
//! makes the same plan; only what happens at once happens in whatever order.

use std::time::Duration;

use shared::testing::Chance;

pub(super) const REPLICAS: usize = 2;
pub(super) const PEOPLE: usize = 8;
pub(super) const WATCHERS: usize = 2;
/// Wrong passwords that somebody tries.
pub(super) const GUESSES: usize = 30;
/// Those that are looked at. The attempts of somebody whose answers are lost, or who
/// is suspended, are fewer.
pub(super) const LOOKED_AT: usize = 10;
/// What each does besides signing up.
const STEPS: usize = 12;
/// Secrets of a service account that are made, one after the other.
const SECRETS: usize = 6;
/// Times that a replica is killed.
const KILLS: usize = 8;

/// What happens in one soak.
#[derive(Debug)]
pub(super) struct Plan {
    /// How each signs up, and what each does then, in order.
    pub(super) people: Vec<(Way, Vec<Step>)>,
    /// How each guess is made.
    pub(super) guesses: Vec<Way>,
    /// How a new signing key is ordered.
    pub(super) rotation: Way,
    /// How each further secret of a service account is asked for.
    pub(super) secrets: Vec<Way>,
    /// How accounts of another system are brought in.
    pub(super) import: Way,
    /// How a signing key is withdrawn in the end, and when who is asked is killed.
    pub(super) withdrawal: (Way, Duration),
    /// In the order of their moments.
    pub(super) kills: Vec<Kill>,
}

/// A replica that is killed after so many steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kill {
    pub(super) after: usize,
    pub(super) replica: usize,
}

/// How a call is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// Which replica is asked first.
    pub(super) replica: usize,
    /// After so long the client gives up and asks again.
    pub(super) haste: Option<Duration>,
}

impl Way {
    /// As patient as a client can be, over this replica.
    pub(super) const fn patient(replica: usize) -> Self {
        Self { replica, haste: None }
    }

    /// The same over the other replica.
    pub(super) const fn other(self) -> Self {
        Self { replica: self.replica + 1, ..self }
    }
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) what: What,
    /// On which of the devices, of as many as there are then.
    pub(super) device: usize,
    pub(super) way: Way,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    SignIn,
    Refresh,
    ChangePassword,
    SignOut,
    /// Says that the password is forgotten, reads the mail, and sets another.
    Reset,
    /// Verifies the address by the mail of the sign-up.
    Verify,
    /// Has another address, to which both agree.
    ChangeEmail,
    /// Adds an authenticator, or signs in twice at once with one code of it.
    UseFactor,
    RemoveFactor,
    /// Beside an authenticator: adds a passkey, signs in with it, and removes it.
    UsePasskey,
    /// Takes out all that is known of the account.
    Export,
    /// Is suspended by an operator, and reinstated.
    Suspend,
    /// Deletes the account beside something else, and goes on with a new one.
    Delete(Beside),
}

/// What somebody asks for at the moment of a deletion.
#[derive(Clone, Copy, Debug)]
pub(super) enum Beside {
    SignIn,
    Reset,
    Verify,
    ChangeEmail,
    ChangePassword,
    AddFactor,
    Reauthenticate,
}

impl Beside {
    const ALL: [Self; 7] = [
        Self::SignIn,
        Self::Reset,
        Self::Verify,
        Self::ChangeEmail,
        Self::ChangePassword,
        Self::AddFactor,
        Self::Reauthenticate,
    ];
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let chance = |n| Chance::of(seed, n);
        let mut others = chance(PEOPLE);
        Self {
            people: (0..PEOPLE).map(|n| person(chance(n))).collect(),
            guesses: (0..GUESSES).map(|_| way(&mut others)).collect(),
            rotation: way(&mut others),
            secrets: (0..SECRETS).map(|_| way(&mut others)).collect(),
            import: way(&mut others),
            withdrawal: {
                let way = way(&mut others);
                (way, Duration::from_millis(others.below(30) as u64))
            },
            kills: kills(chance(PEOPLE + 1)),
        }
    }
}

fn person(mut chance: Chance) -> (Way, Vec<Step>) {
    let signs_up = way(&mut chance);
    // What is asked for by mail is had once a minute.
    let mut whats = vec![What::Reset, What::Verify, What::ChangeEmail];
    whats.extend([What::UseFactor; 3]);
    let deletes = What::Delete(*chance.pick(&Beside::ALL));
    for sometimes in [What::RemoveFactor, What::UsePasskey, What::Export, What::Suspend, deletes] {
        whats.extend(chance.one_in(2).then_some(sometimes));
    }
    whats.resize_with(STEPS, || match chance.below(6) {
        0 => What::SignOut,
        1 => What::ChangePassword,
        2 | 3 => What::Refresh,
        _ => What::SignIn,
    });
    for last in (1..STEPS).rev() {
        whats.swap(last, chance.below(last + 1));
    }
    let mut step = |what| Step { what, device: chance.below(STEPS), way: way(&mut chance) };
    (signs_up, whats.into_iter().map(&mut step).collect())
}

fn way(chance: &mut Chance) -> Way {
    let haste = chance.one_in(5).then(|| 1 + chance.below(40) as u64);
    Way { replica: chance.below(REPLICAS), haste: haste.map(Duration::from_millis) }
}

fn kills(mut chance: Chance) -> Vec<Kill> {
    let mut last = 0;
    let mut kill = |_| {
        // One in three comes together with another.
        if !chance.one_in(3) {
            last = chance.below(PEOPLE * (1 + STEPS));
        }
        Kill { after: last, replica: chance.below(REPLICAS) }
    };
    let mut kills: Vec<_> = (0..KILLS).map(&mut kill).collect();
    // The last hints and mails die with whoever was to send them.
    kills[0].after = PEOPLE * (1 + STEPS);
    kills.sort_by_key(|kill| kill.after);
    kills
}
