//! OpenVPN. So far its profiles: what a client was given to connect with.

pub mod profile;
