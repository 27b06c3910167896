//! What remote desktops have in common, whatever protocol carries them: the picture
//! on its way to the application, new sizes, TLS, and where copied text may go.
//! Runs in the session process.

pub mod asked;
pub mod clipboard;
pub mod damage;
pub mod fail;
pub mod mail;
pub mod resize;
pub mod tiles;
pub mod tls;
