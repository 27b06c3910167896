//! Where sealed rows are kept. Sees ciphertext only: it has no key and no name.

mod rows;
pub mod sqlite;
