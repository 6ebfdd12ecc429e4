//! How a call ends, and why it failed.

/// Why a call failed, in the order of the public `ErrorKind`: the wire between the core, which decides on a kind, and the glue, which words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is worded where the public type is")]
pub enum Kind {
    Network,
    Offline,
    Timeout,
    Aborted,
    Unauthenticated,
    AuthUnknown,
    Forbidden,
    NotFound,
    Conflict,
    Outdated,
    Invalid,
    RateLimited,
    Unavailable,
    Server,
    CircuitOpen,
    QueueFull,
    TooLarge,
    Parse,
    Runtime,
}

impl Kind {
    /// All of them, by their number.
    pub const ALL: [Kind; 19] = [
        Kind::Network,
        Kind::Offline,
        Kind::Timeout,
        Kind::Aborted,
        Kind::Unauthenticated,
        Kind::AuthUnknown,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::Conflict,
        Kind::Outdated,
        Kind::Invalid,
        Kind::RateLimited,
        Kind::Unavailable,
        Kind::Server,
        Kind::CircuitOpen,
        Kind::QueueFull,
        Kind::TooLarge,
        Kind::Parse,
        Kind::Runtime,
    ];

    /// That of a number; none: no kind has it.
    #[must_use]
    pub fn of(number: u32) -> Option<Kind> {
        Kind::ALL.get(number as usize).copied()
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With what was asked for.
    Ok,
    /// With a response whose status says why.
    Status,
    /// For a reason that a status does not tell.
    Kind(Kind),
}
