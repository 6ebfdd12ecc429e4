//! The stream format.
