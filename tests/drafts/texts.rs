//! Every text that anybody typed, what its writer had seen by then, and what became of it.

use std::collections::BTreeSet;

/// A text by its number. Equal numbers are equal texts.
pub type Text = usize;
/// A person by their number.
pub type User = u32;

#[derive(Clone, Debug, Default)]
struct Entry {
    /// When it was typed.
    at: u64,
    /// Whose it is, as far as it was known when it was typed; none: nobody's.
    owner: Option<User>,
    /// It was typed while it was being found out who types.
    pending: bool,
    /// All texts that its writer had before them, itself included.
    seen: BTreeSet<Text>,
    /// Cleared texts that its writer knows to be cleared, and goes on with.
    pardoned: BTreeSet<Text>,
    /// It was submitted, or stood where something was: it does not come back.
    void: bool,
    /// Nobody need keep it: it was submitted, or the person chose another one.
    done: bool,
    /// Another page sends it, too, and the one where it was typed knows nothing of that.
    taken: bool,
    /// A device or a server had it.
    durable: bool,
}

/// All texts of one story.
#[derive(Debug, Default)]
pub struct Texts(Vec<Entry>);

impl Texts {
    /// Typed with this one before the person's eyes.
    pub fn typed(&mut self, before: Option<Text>, owner: Option<User>, pending: bool, at: u64) -> Text {
        let mut entry = before.map_or_else(Entry::default, |before| Entry {
            seen: self.0[before].seen.clone(),
            pardoned: self.0[before].pardoned.clone(),
            ..Entry::default()
        });
        let text = self.0.len();
        entry.seen.insert(text);
        (entry.owner, entry.pending, entry.at) = (owner, pending, at);
        self.0.push(entry);
        text
    }

    /// Whoever goes on with `mine` was shown `theirs`.
    pub fn shown(&mut self, mine: Text, theirs: Text) {
        let seen: Vec<Text> = self.0[theirs].seen.difference(&self.0[mine].seen).copied().collect();
        let entry = &mut self.0[mine];
        entry.seen.extend(&seen);
        // It is not made from them.
        entry.pardoned.extend(seen);
    }

    /// Whether the writer of a text had seen the other.
    pub fn has_seen(&self, text: Text, other: Text) -> bool {
        self.0[text].seen.contains(&other)
    }

    pub fn owner(&self, text: Text) -> Option<User> {
        self.0[text].owner
    }

    pub fn pending(&self, text: Text) -> bool {
        self.0[text].pending
    }

    /// It turned out who typed it.
    pub fn found_out(&mut self, text: Text, owner: Option<User>) {
        for seen in self.0[text].seen.clone() {
            let entry = &mut self.0[seen];
            entry.pending = false;
            entry.owner = entry.owner.or(owner);
        }
    }

    /// It was submitted then: neither it nor what it was made from comes back.
    pub fn cleared(&mut self, text: Text, at: u64) {
        for seen in self.0[text].seen.clone() {
            self.0[seen].void |= self.0[seen].at <= at;
            self.0[seen].done = true;
        }
    }

    pub fn is_done(&self, text: Text) -> bool {
        self.0[text].done
    }

    /// It was on a device when its draft was cleared there.
    pub fn buried(&mut self, text: Text) {
        self.0[text].void = true;
        for seen in self.0[text].seen.clone() {
            self.0[seen].durable = false;
        }
    }

    /// The person let it go for another one.
    pub fn let_go(&mut self, text: Text) {
        for seen in self.0[text].seen.clone() {
            self.0[seen].done = true;
        }
    }

    /// The person goes on with it, knowing what was cleared.
    pub fn pardon(&mut self, text: Text) {
        let void: Vec<Text> = self.0[text].seen.iter().copied().filter(|seen| self.0[*seen].void).collect();
        let entry = &mut self.0[text];
        entry.pardoned.extend(void);
    }

    /// They want it kept.
    pub fn wanted(&mut self, text: Text) {
        self.0[text].done = false;
    }

    /// Whether something of it was cleared, and its writer did not know.
    pub fn is_void(&self, text: Text) -> bool {
        let Entry { seen, pardoned, .. } = &self.0[text];
        seen.difference(pardoned).any(|seen| self.0[*seen].void && !self.0[*seen].taken)
    }

    pub fn taken(&mut self, text: Text) {
        for seen in self.0[text].seen.clone() {
            self.0[seen].taken = true;
        }
    }

    pub fn kept(&mut self, text: Text) {
        self.0[text].durable = true;
    }

    /// What its person may still ask for.
    pub fn owed(&self, owner: User) -> impl Iterator<Item = Text> + '_ {
        let entries = self.0.iter().enumerate();
        entries.filter(move |(_, entry)| entry.owner == Some(owner) && entry.durable && !entry.done).map(|(at, _)| at)
    }
}
