//! The VPNs that are up or being raised: what is known of them, and the line that
//! shows it. Raises none and takes none down.

pub mod model;
pub mod view;
