//! Small parts that several screens share. None of them knows the application.

pub mod secret_buffer;
pub mod secret_edit;
