//! What was delivered, so that a replay is not delivered again.
