//! Names of the network behind a VPN, asked of the servers that the VPN has, through it
//! (RFC 1035). Never asks the machine's own resolver, and keeps nothing.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::{Stack, wait};
use crate::connect::vpn::Unreached;
use crate::os::random;

const PORT: u16 = 53;
/// For one server to answer.
const QUESTION: Duration = Duration::from_secs(2);
/// Rounds of all servers: datagrams get lost.
const ROUNDS: usize = 3;

/// What a server says.
enum Said {
    /// The addresses, which may be none.
    These(Vec<IpAddr>),
    /// It cannot tell, another may.
    CannotTell,
    /// More than fits into a datagram.
    More,
}

impl Stack {
    /// The addresses of a name, of the families that this side has.
    ///
    /// # Errors
    /// There is no server; those there are do not know it, or do not answer.
    pub(super) fn look_up(&self, name: &str, until: Instant) -> Result<Vec<IpAddr>, Unreached> {
        if self.servers.is_empty() {
            return Err(Unreached::NoNames);
        }
        for name in full_names(name, &self.search).ok_or(Unreached::UnknownName)? {
            let found = self.resolve(&name, until)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Err(Unreached::UnknownName)
    }

    fn resolve(&self, name: &Name, until: Instant) -> Result<Vec<IpAddr>, Unreached> {
        let kinds = [(self.v4, RecordType::A), (self.v6, RecordType::AAAA)];
        let questions: Vec<Message> = kinds
            .into_iter()
            .filter(|(has, _)| *has)
            .map(|(_, kind)| question(name, kind))
            .collect();
        for server in self.servers.iter().cycle().take(self.servers.len() * ROUNDS) {
            if Instant::now() >= until {
                break;
            }
            let at = SocketAddr::new(*server, PORT);
            let until = until.min(Instant::now() + QUESTION);
            let (mut found, mut told) = (Vec::new(), true);
            for said in self.ask_all(&questions, at, until) {
                match said {
                    Some(Said::These(some)) => found.extend(some),
                    _ => told = false,
                }
            }
            // One family is enough where the other's answer was lost.
            if told || !found.is_empty() {
                return Ok(found);
            }
        }
        Err(Unreached::TimedOut)
    }

    /// What a server says to each of these, asked together.
    fn ask_all(&self, questions: &[Message], at: SocketAddr, until: Instant) -> Vec<Option<Said>> {
        let asked: Vec<_> = questions
            .iter()
            .map(|question| {
                let bytes = question.to_vec().ok()?;
                Some((question, self.ask(at, &bytes, until), bytes))
            })
            .collect();
        type Asked<'a> = (&'a Message, Receiver<Vec<u8>>, Vec<u8>);
        let said = |one: Option<Asked<'_>>| {
            let (question, heard, bytes) = one?;
            loop {
                let answer = wait(&heard, until).ok()?;
                match read(&answer, question) {
                    Some(Said::More) => return self.ask_at_length(question, &bytes, at, until),
                    Some(said) => return Some(said),
                    None => {}
                }
            }
        };
        asked.into_iter().map(said).collect()
    }

    /// By TCP, which has room for every answer (RFC 7766).
    fn ask_at_length(
        &self,
        question: &Message,
        bytes: &[u8],
        at: SocketAddr,
        until: Instant,
    ) -> Option<Said> {
        let mut stream = self.connect(at, until).ok()?;
        let left = until.saturating_duration_since(Instant::now());
        stream.set_timeout(Some(left.max(Duration::from_millis(1)))).ok()?;
        let length = u16::try_from(bytes.len()).ok()?;
        stream.write_all(&[&length.to_be_bytes()[..], bytes].concat()).ok()?;
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut answer = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut answer).ok()?;
        read(&answer, question)
    }
}

/// A name as it is to be asked for, in this order; none where it is no name.
fn full_names(name: &str, search: &[String]) -> Option<Vec<Name>> {
    let bare = Name::from_utf8(name).ok()?;
    let mut whole = bare.clone();
    whole.set_fqdn(true);
    if bare.is_fqdn() {
        return Some(vec![whole]);
    }
    let domains = search.iter().filter_map(|domain| Name::from_utf8(domain).ok());
    let longer = domains.filter_map(|domain| bare.clone().append_domain(&domain).ok());
    let mut all: Vec<Name> = longer.collect();
    // A name with a dot is most often whole (resolv.conf(5), `ndots`).
    let at = if bare.num_labels() > 1 { 0 } else { all.len() };
    all.insert(at, whole);
    Some(all)
}

fn question(name: &Name, kind: RecordType) -> Message {
    let id = u16::from_ne_bytes(random::bytes());
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    message
}

/// An answer to `question`; none where it is something else.
fn read(answer: &[u8], question: &Message) -> Option<Said> {
    let answer = Message::from_vec(answer).ok()?;
    let (head, asked) = (&answer.metadata, &question.metadata);
    let same = head.message_type == MessageType::Response
        && head.id == asked.id
        && answer.queries == question.queries;
    if !same {
        return None;
    }
    if head.truncation {
        return Some(Said::More);
    }
    let address = |data: &RData| match data {
        RData::A(ip) => Some(IpAddr::V4(ip.0)),
        RData::AAAA(ip) => Some(IpAddr::V6(ip.0)),
        _ => None,
    };
    Some(match head.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {
            Said::These(answer.answers.iter().filter_map(|one| address(&one.data)).collect())
        }
        _ => Said::CannotTell,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, search: &[&str]) -> Vec<String> {
        let search: Vec<_> = search.iter().map(|&domain| domain.to_owned()).collect();
        let names = full_names(name, &search).expect("a name");
        names.iter().map(Name::to_utf8).collect()
    }

    #[test]
    fn short_names_are_tried_in_the_clients_domains_first() {
        let search = ["client.lan", "example.com."];
        assert_eq!(asked("srv", &search), ["srv.client.lan.", "srv.example.com.", "srv."]);
        let dotted = ["srv.hq.", "srv.hq.client.lan.", "srv.hq.example.com."];
        assert_eq!(asked("srv.hq", &search), dotted);
        assert_eq!(asked("srv.", &search), ["srv."]);
        assert_eq!(asked("srv", &[]), ["srv."]);
        assert!(full_names(&"x".repeat(300), &[]).is_none());
    }

    #[test]
    fn only_the_answer_to_the_question_counts() {
        let name = Name::from_utf8("srv.client.lan.").expect("a name");
        let asked = question(&name, RecordType::A);
        let mut answer = asked.clone().into_response();
        assert!(matches!(said(&answer, &asked), Some(Said::These(none)) if none.is_empty()));
        answer.metadata.truncation = true;
        assert!(matches!(said(&answer, &asked), Some(Said::More)));
        answer.metadata.truncation = false;
        answer.metadata.response_code = ResponseCode::ServFail;
        assert!(matches!(said(&answer, &asked), Some(Said::CannotTell)));
        answer.metadata.id = answer.metadata.id.wrapping_add(1);
        assert!(said(&answer, &asked).is_none());
        assert!(said(&question(&name, RecordType::AAAA).into_response(), &asked).is_none());
        assert!(said(&asked, &asked).is_none(), "a question is no answer");
        assert!(read(b"nonsense", &asked).is_none());
    }

    fn said(answer: &Message, asked: &Message) -> Option<Said> {
        read(&answer.to_vec().expect("it was read"), asked)
    }
}
