//! One leader among the tabs of one origin.
