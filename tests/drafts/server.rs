//! A naive server: the drafts contract, and the ways in which an answer comes to nothing.

use std::collections::BTreeMap;

use evenkeel::core::draft::Sent;
use evenkeel::core::kind::Kind;

use super::page::SaveId;
use super::texts::{Text, Texts, User};
use super::world::ms;

/// What stands at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    pub rev: u64,
    /// None: a tombstone.
    pub text: Option<Text>,
    pub save: SaveId,
    /// Of a schema that pages do not know.
    pub newer: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Ask {
    Read,
    Save {
        text: Text,
        save: SaveId,
        base: Option<u64>,
    },
    /// Of that device, at that time.
    Clear {
        device: usize,
        stamp: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A save's, a tombstone's.
    Accepted(u64),
    /// What stands: 200 or 404 to a read, 412 to a save. None: never heard of.
    Is(Option<Copy>),
    Unauthorized,
    OtherUser,
    Absent,
    Outdated,
    Refused(Kind),
    Later(Kind, Option<u64>),
}

impl Answer {
    /// To whoever saves or clears.
    pub fn sent(self) -> Sent {
        match self {
            Answer::Accepted(rev) => Sent::Accepted(rev),
            Answer::Is(_) => Sent::Refused(Kind::Conflict),
            Answer::Unauthorized => Sent::Unauthorized,
            Answer::OtherUser => Sent::OtherUser,
            Answer::Absent => Sent::Absent,
            Answer::Outdated => Sent::Outdated,
            Answer::Refused(kind) => Sent::Refused(kind),
            Answer::Later(kind, told) => Sent::Later(kind, told.map(ms)),
        }
    }
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Fine,
    /// It does not arrive.
    Lost,
    /// It arrives, and its answer does not.
    AnswerLost,
    /// It arrives, and the server says so instead of doing it.
    Says(Answer),
    /// It is answered after so many milliseconds.
    Slow(u64),
    /// Nobody ever hears of it, the host included.
    Never,
    /// It arrives after so many milliseconds, when nobody waits for it any more.
    Late(u64),
}

#[derive(Debug, Default)]
pub struct Server {
    rev: u64,
    standing: BTreeMap<User, Copy>,
    /// All texts that were ever taken.
    pub accepted: Vec<(User, Text)>,
    /// When it was asked what.
    pub log: Vec<(u64, Ask)>,
    clears: Vec<(usize, u64)>,
    /// For the next requests, whatever they ask.
    pub fates: std::collections::VecDeque<Fate>,
}

impl Server {
    pub fn standing(&self, user: User) -> Option<Copy> {
        self.standing.get(&user).copied()
    }

    /// What its person would get.
    pub fn text(&self, user: User) -> Option<Text> {
        self.standing(user)?.text
    }

    /// Another program of that person's saves.
    pub fn put(&mut self, user: User, text: Option<Text>) -> u64 {
        self.rev += 1;
        self.standing
            .insert(user, Copy { rev: self.rev, text, save: SaveId { writer: 999, n: self.rev }, newer: false });
        self.accepted.extend(text.map(|text| (user, text)));
        self.rev
    }

    /// The same as a copy of a newer schema.
    pub fn put_newer(&mut self, user: User, text: Text) {
        self.put(user, Some(text));
        self.standing.get_mut(&user).expect("it was put").newer = true;
    }

    /// What stood there is gone with all that was known of it.
    pub fn lose(&mut self, user: User) {
        self.standing.remove(&user);
    }

    /// From a backup.
    pub fn restore(&mut self, user: User, copy: Copy) {
        self.standing.insert(user, copy);
    }

    /// `clears`: somebody cleared the draft, and the server has yet to hear of it.
    pub fn answer(
        &mut self,
        ask: Ask,
        cookie: Option<User>,
        expected: User,
        clears: bool,
        texts: &mut Texts,
    ) -> Answer {
        let Some(user) = cookie else { return Answer::Unauthorized };
        if user != expected {
            return Answer::OtherUser;
        }
        let stands = self.standing(user);
        match ask {
            Ask::Read => Answer::Is(stands),
            Ask::Clear { device, stamp } => {
                let again = self.clears.contains(&(device, stamp));
                self.clears.push((device, stamp));
                match stands.and_then(|stands| stands.text) {
                    // Clearing wins, also over what was typed after it was heard for the first time.
                    Some(text) if again => texts.let_go(text),
                    Some(text) => texts.cleared(text, stamp),
                    None => {}
                }
                Answer::Accepted(self.put(user, None))
            }
            Ask::Save { text, save, base } => {
                if let Some(stands) = stands.filter(|stands| stands.text.is_some() && stands.save == save) {
                    assert_eq!(stands.text, Some(text), "one save id, one text");
                    return Answer::Accepted(stands.rev);
                }
                if stands.map(|stands| stands.rev) != base {
                    return Answer::Is(stands);
                }
                assert_eq!(texts.owner(text), Some(user), "whose text it is");
                assert!(clears || !texts.is_void(text), "what was cleared came back: {text}");
                if let Some(before) = stands.and_then(|stands| stands.text) {
                    let known = texts.has_seen(text, before) || texts.is_done(before);
                    assert!(known, "{text} was saved over {before}, which its writer had not seen");
                }
                self.rev += 1;
                self.standing.insert(user, Copy { rev: self.rev, text: Some(text), save, newer: false });
                self.accepted.push((user, text));
                texts.kept(text);
                Answer::Accepted(self.rev)
            }
        }
    }
}
