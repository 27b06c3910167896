//! The management protocol of OpenVPN 2.5 and later (`management-notes.txt` in its
//! documentation): what the program says, what is answered, and what follows. Pure:
//! it opens no socket, starts no program, reads no clock, and keeps no secret longer
//! than until it is written.

pub mod answer;
pub mod course;
pub mod evidence;
mod login;
pub mod pushed;
pub mod reason;
pub mod said;
pub mod tell;
#[cfg(test)]
mod transcripts;
