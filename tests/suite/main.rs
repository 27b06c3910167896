//! One test binary for all stories; each module says what it is about.

mod smoke;
