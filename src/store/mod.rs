//! Where sealed rows are kept. Sees ciphertext only: it has no key and no name.

pub mod alone;
mod rows;
pub mod sqlite;
