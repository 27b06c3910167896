//! The other export formats, read back by what reads them elsewhere.
