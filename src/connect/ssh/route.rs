//! The way to the destination: one engine a hop, each through the one before; the
//! last may be a plain line or a desktop.
//! Runs in the session process; decides no trust and no login itself.

use std::sync::{Arc, Mutex, PoisonError};

use super::dial::{Dialer, Jump};
use super::settings::Settings;
use super::{engine, fail, forward};
use crate::connect::host::child::{Engine, Inbox, Uplink};
use crate::connect::link::LinkInfo;
#[cfg(not(target_os = "linux"))]
use crate::connect::manifest;
use crate::connect::{Failure, line, rdp, vnc, wireguard};
use crate::model::target::{Hop, Target};

/// Kind of the machines that a session passes through.
const SSH: &str = "ssh";

/// What a hop needs to be opened.
pub struct Leg<'a> {
    /// Number of the hop, for the lease.
    pub index: usize,
    /// The hop.
    pub hop: &'a Hop,
    /// Its settings.
    pub settings: &'a Settings,
    /// How to reach it.
    pub dialer: Dialer<'a>,
    /// Socket of the person's agent.
    pub agent: Option<&'a str>,
    /// The way to the application.
    pub up: &'a Arc<Uplink>,
}

/// Opens every hop, then the forwardings of the destination, its plain line or its
/// desktop.
///
/// # Errors
/// The first hop that fails says why; those before it are closed.
pub fn open(
    target: &Target,
    agent: Option<String>,
    up: &Arc<Uplink>,
) -> Result<Box<dyn Engine>, Failure> {
    let lost: Arc<Mutex<Option<Failure>>> = Arc::default();
    let mut via: Option<Jump> = None;
    let mut warnings = Vec::new();
    let gateway = rdp::gateway_hop(target);
    for (index, hop) in target.hops.iter().enumerate() {
        if gateway == Some(index) {
            continue;
        }
        #[cfg(unix)]
        if target.kind.word() == crate::connect::web::ID {
            return crate::connect::web::engine::open(index, hop, up);
        }
        #[cfg(target_os = "linux")]
        if target.kind.word() == crate::connect::openvpn::ID {
            return crate::connect::openvpn::engine::open(index, hop, up);
        }
        if index + 1 == target.hops.len() && target.kind.word() != SSH {
            let end = line::End {
                index,
                hop,
                via: via.as_ref(),
                gateway: gateway.map(|index| (index, &target.hops[index])),
                up,
                lost: lost.clone(),
            };
            let engine = match target.kind.word() {
                "rdp" => rdp::open(&end),
                "vnc" => vnc::open(&end),
                #[cfg(target_os = "linux")]
                wireguard::ID => wireguard::open(&end),
                #[cfg(not(target_os = "linux"))]
                wireguard::ID => Err(manifest::fail::no_platform(wireguard::ID)),
                word => line::open(word, &end),
            }?;
            return Ok(Box::new(Routed { engine, lost, warnings, forwards: Vec::new() }));
        }
        let settings = Settings::of(hop)?;
        let leg = Leg {
            index,
            hop,
            settings: &settings,
            dialer: Dialer {
                at: &hop.at,
                via: via.as_ref(),
                door: up.door(),
                timeout: settings.connect_timeout,
            },
            agent: agent.as_deref(),
            up,
        };
        let engine = engine::open(&leg)?;
        if index + 1 == target.hops.len() {
            let forwards = forward::listen(&settings, &engine.inbox())?;
            return Ok(Box::new(Routed { engine, lost, warnings, forwards }));
        }
        warnings.extend(engine.info().warnings);
        let inbox = engine.inbox();
        let (lost, up) = (lost.clone(), up.clone());
        std::thread::Builder::new()
            .name("jump".into())
            .spawn(move || run_jump(engine, &lost, up))
            .map_err(|e| fail::local(&e))?;
        via = Some(Jump { inbox, at: hop.at.clone() });
    }
    unreachable!("a target has at least its destination")
}

/// Serves a jump host. Why it was lost is noted before its streams end, so that
/// whoever sees them end finds the reason.
fn run_jump(engine: Box<dyn Engine>, lost: &Mutex<Option<Failure>>, up: Arc<Uplink>) {
    let keep = |why: &Failure| {
        lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.clone());
    };
    engine.run(up, &keep);
}

/// The destination's engine, and why a jump host was lost, if one was: the
/// destination itself would only see its stream end.
struct Routed {
    engine: Box<dyn Engine>,
    lost: Arc<Mutex<Option<Failure>>>,
    warnings: Vec<crate::model::lang::Bi>,
    forwards: Vec<String>,
}

impl Engine for Routed {
    fn info(&self) -> LinkInfo {
        let mut info = self.engine.info();
        for warning in &self.warnings {
            if !info.warnings.contains(warning) {
                info.warnings.push(warning.clone());
            }
        }
        info.forwards.extend(self.forwards.iter().cloned());
        info
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.engine.inbox()
    }

    fn run(self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let why = self.engine.run(up, noted)?;
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        Some(lost.unwrap_or(why))
    }
}
