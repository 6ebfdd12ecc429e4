//! What becomes of a stream's polls.

use super::Stream;
use crate::core::events::report::{Content, Fault, Fire, Reply, Status, StreamOutput};
use crate::core::events::stream::Around;
use crate::core::kind::Kind;
use crate::core::verify::Verified;

impl Stream {
    /// The poll brought this; none: nothing.
    pub fn polled(&mut self, reply: Option<Reply>, around: &mut Around) {
        if !self.polling.out() {
            return;
        }
        let backoff = &self.settings.reconnect.backoff;
        match reply {
            Some(Reply { status: 200, content: Content::Events, .. }) => {
                self.polling.done(around.now, true, None, backoff, around.random);
                if self.told.is_some_and(|told| told.status != Status::Polling) {
                    self.memory.source_changed();
                    self.fire = Fire::Open;
                }
                self.denials = 0;
                self.fault = None;
                // The `open` event goes before the events.
                self.show();
                self.outputs.push_back(StreamOutput::TakePoll);
            }
            Some(reply) if reply.status == 401 && self.settings.trusted && around.session => {
                self.poll_denied = true;
                self.outputs.push_back(StreamOutput::Verify);
            }
            Some(reply @ Reply { status: 400 | 402..=407 | 409..=424 | 426..=428 | 430..=499, .. }) => {
                self.poll_failed(reply.by_status(), around);
                self.polling.give_up();
            }
            Some(reply @ Reply { status: 200..=399, .. }) => self.poll_failed(reply.fault(Kind::Parse), around),
            Some(reply @ Reply { status: 401, .. }) => self.poll_failed(reply.fault(Kind::AuthUnknown), around),
            Some(reply) => self.poll_failed(reply.by_status(), around),
            None => self.poll_failed(Fault::lost(around.online), around),
        }
    }

    fn poll_failed(&mut self, fault: Fault, around: &mut Around) {
        if self.polling.delivers() {
            self.fault = Some(fault);
            self.fire = Fire::Error;
        }
        let backoff = &self.settings.reconnect.backoff;
        self.polling.done(around.now, false, fault.retry_after, backoff, around.random);
    }

    /// What the session endpoint says, where a poll was denied.
    pub(super) fn poll_verified(&mut self, verified: Verified, around: &mut Around) {
        if !std::mem::take(&mut self.poll_denied) || !self.polling.out() {
            return;
        }
        let denied = Reply { status: 401, retry_after: None, content: Content::Other };
        if verified == Verified::SignedOut {
            return self.end(Some(denied.fault(Kind::Unauthenticated)));
        }
        self.poll_failed(denied.fault(Kind::AuthUnknown), around);
    }

    /// A stream got through. Whether there was anything to retire.
    pub(super) fn retire_polls(&mut self) -> bool {
        let on = self.polling.on();
        if on {
            self.memory.source_changed();
            if self.fault.take().is_some() {
                // One failed after the headers came.
                self.fire = Fire::Open;
            }
        }
        if self.polling.stop() {
            self.drop_poll();
        }
        on
    }

    pub(super) fn drop_poll(&mut self) {
        self.take_back(StreamOutput::Poll, StreamOutput::DropPoll);
    }
}
