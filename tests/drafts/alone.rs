//! Drafts without a world around them.

use evenkeel::core::draft::drafts::Drafts;
use evenkeel::core::draft::{Around, Carried, DraftInput, DraftOutput, DraftSettings, Owner};
use evenkeel::core::random::Random;
use evenkeel::core::time::Timestamp;

use super::world::{ANNE, DEBOUNCE, ms};

/// Told one thing at a time, and what they say to it; all but what is shown.
pub struct Alone {
    pub drafts: Drafts,
    random: Random,
    pub now: u64,
}

impl Alone {
    pub fn new() -> Alone {
        Alone { drafts: Drafts::default(), random: Random::new(1), now: 1_000_000 }
    }

    pub fn act(&mut self, act: impl FnOnce(&mut Drafts, &mut Around)) -> Vec<(u32, DraftOutput)> {
        let around = &mut Around { now: Timestamp(self.now), random: &mut self.random, online: true, session: true };
        act(&mut self.drafts, around);
        self.drafts.wake(around);
        let said: Vec<_> = std::iter::from_fn(|| self.drafts.poll()).collect();
        said.into_iter().filter(|(_, said)| !matches!(said, DraftOutput::Show(_))).collect()
    }

    pub fn tell(&mut self, id: u32, input: DraftInput) -> Vec<(u32, DraftOutput)> {
        self.act(|drafts, around| drafts.handle(id, input, around))
    }

    pub fn open(&mut self, id: u32, carried: Carried) -> Vec<(u32, DraftOutput)> {
        let settings = DraftSettings { debounce: ms(DEBOUNCE), max_wait: ms(5 * DEBOUNCE), endpoint: true };
        self.tell(id, DraftInput::Open(settings, Owner::User(ANNE), carried))
    }
}
