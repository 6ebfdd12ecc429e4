//! Whose a draft is. It freezes when somebody else is there, and only the same user's return thaws it.

use super::saving::Draft;
use super::{Around, DraftOutput, Owner};
use crate::core::time::Timestamp;
use crate::core::verify::Verified;

/// Denials in a row that are asked about. Whoever is signed in and still denied waits for the session's next word.
const DENIALS_MAX: u32 = 3;

impl Draft {
    pub(super) fn owned(&mut self, owner: Owner, now: Timestamp) {
        match self.owner {
            Owner::User(_) if self.owner == owner => {
                self.foreign = false;
                self.denied &= self.verifying;
            }
            Owner::User(_) => {
                self.foreign = true;
                self.give_up_restoring();
                self.save_now(now);
            }
            _ if self.owner == owner => {}
            before => {
                self.owner = owner;
                // No server knows anything of nobody.
                self.unheard &= owner != Owner::Nobody;
                if let Some(restoring) = &mut self.restoring {
                    restoring.again(now);
                }
                if self.edits > self.clean {
                    self.nobodys |= before == Owner::Nobody;
                    self.touch(now);
                }
            }
        }
    }

    /// 401, or 409 for somebody else: the session endpoint knows who is there.
    pub(super) fn deny(&mut self, around: &Around) {
        self.denied = true;
        if !around.session || self.denials == DENIALS_MAX {
            return;
        }
        self.denials += 1;
        self.verifying = true;
        self.say(DraftOutput::Verify);
    }

    pub(super) fn verified(&mut self, verified: Verified) {
        self.verifying = false;
        self.denied &= !matches!(verified, Verified::SignedIn(_));
    }
}
