//! What the product talks about: entries, clients, members, policy, plans.
//! Nothing here holds a secret, touches the machine or seals anything.

pub mod audit_event;
pub mod entry;
pub mod fold;
pub mod id;
pub mod lang;
pub mod member;
pub mod order;
pub mod plan;
pub mod policy;
pub mod settings;
pub mod target;
pub mod time;
pub mod unseen;
