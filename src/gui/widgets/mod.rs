//! Small parts that several screens share. None of them knows the application.

pub mod advice;
pub mod mark;
pub mod parts;
pub mod secret_buffer;
pub mod secret_edit;
pub mod strength;
pub mod toast;
