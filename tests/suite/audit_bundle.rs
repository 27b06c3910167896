//! The bundle: verified, tampered with and redacted, by all three verifiers.
