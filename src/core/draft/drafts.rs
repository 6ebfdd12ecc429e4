//! All drafts of one client.

use super::saving::Draft;
use super::{Around, DraftId, DraftInput, DraftOutput};
use crate::core::time::Timestamp;
use crate::core::verify::Verified;

/// All drafts of one client.
#[derive(Debug, Default)]
pub struct Drafts {
    drafts: Vec<Draft>,
}

impl Drafts {
    /// What happened to one of them.
    pub fn handle(&mut self, id: DraftId, input: DraftInput, around: &mut Around) {
        if let DraftInput::Open(settings, owner, carried) = input {
            return self.drafts.push(Draft::new(id, settings, owner, carried, around));
        }
        if let Some(draft) = self.drafts.iter_mut().find(|draft| draft.id == id) {
            draft.handle(input, around);
        }
    }

    /// Saves all that is unsaved now; see [`Drafts::resting`].
    pub fn flush_all(&mut self, around: &mut Around) {
        self.drafts.iter_mut().for_each(|draft| draft.flush(around));
    }

    /// Whether something would be lost, or left where its person does not see it, if the page went now.
    #[must_use]
    pub fn unsaved(&self) -> bool {
        self.drafts.iter().any(Draft::unsaved)
    }

    /// Whether nothing is under way that a flush could still save.
    #[must_use]
    pub fn resting(&self) -> bool {
        self.drafts.iter().all(Draft::resting)
    }

    /// What the session endpoint says.
    pub fn verified(&mut self, verified: Verified) {
        self.drafts.iter_mut().for_each(|draft| draft.verified(verified));
    }

    /// The browser's `online` and `offline`.
    pub fn network(&mut self, around: &mut Around) {
        if around.online {
            self.nudge(around);
        }
    }

    /// The page became visible or hidden.
    pub fn visible(&mut self, visible: bool, around: &mut Around) {
        if visible {
            self.nudge(around);
        } else {
            self.drafts.iter_mut().for_each(|draft| draft.leave(false, around));
        }
    }

    /// The page goes, perhaps into the back/forward cache, or came back from there.
    pub fn away(&mut self, away: bool, around: &mut Around) {
        if away {
            self.drafts.iter_mut().for_each(|draft| draft.leave(true, around));
        } else {
            self.nudge(around);
        }
    }

    /// This device slept, or the page stood still.
    pub fn slept(&mut self, around: &mut Around) {
        self.drafts.iter_mut().for_each(|draft| draft.slept(around));
    }

    /// Lets all act on what happened.
    pub fn wake(&mut self, around: &mut Around) {
        self.drafts.iter_mut().for_each(|draft| draft.wake(around));
    }

    /// When to come back.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.drafts.iter().filter_map(Draft::next_wake).min()
    }

    /// What to do, until it is dry.
    pub fn poll(&mut self) -> Option<(DraftId, DraftOutput)> {
        let said = self.drafts.iter_mut().find_map(|draft| Some((draft.id, draft.outputs.pop_front()?)));
        if let Some((id, DraftOutput::Closed)) = said {
            self.drafts.retain(|draft| draft.id != id);
        }
        said
    }

    /// The client ends.
    pub fn stop(&mut self) {
        self.drafts.clear();
    }

    fn nudge(&mut self, around: &mut Around) {
        self.drafts.iter_mut().for_each(|draft| draft.nudge(around));
    }
}
