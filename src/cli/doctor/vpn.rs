//! What `doctor` finds of VPNs: the programs they need, and whether this machine gives
//! a client a network of its own. Makes such a network to see it, and leaves nothing.

use crate::cli::Context;
use crate::connect::Failure;
use crate::connect::openvpn::{ID, installed};
use crate::connect::vpn::fail;

use super::{Finding, good, weak};

/// Each way, in the order of what it needs.
pub fn findings(context: &Context) -> Vec<Finding> {
    let mut all = vec![openvpn(context)];
    #[cfg(target_os = "linux")]
    all.extend([tun(context), networks(context)]);
    all
}

fn bad(context: &Context, name: &'static str, failure: &Failure) -> Finding {
    weak(name, failure.what.get(context.lang), failure.todo.get(context.lang))
}

fn openvpn(context: &Context) -> Finding {
    let Some(program) = installed::find() else {
        return bad(context, "openvpn", &fail::no_program(ID, ID));
    };
    let shown = program.display();
    let (major, minor) = installed::LEAST;
    match installed::version(&program) {
        Some(version) if installed::serves(&version) => {
            good("openvpn", format!("{shown} {version}"))
        }
        version => weak(
            "openvpn",
            format!("{shown} {}", version.unwrap_or_else(|| "?".to_owned())),
            context.pick_owned(
                || format!("Installez OpenVPN {major}.{minor} ou plus récent."),
                || format!("Install OpenVPN {major}.{minor} or newer."),
            ),
        ),
    }
}

#[cfg(target_os = "linux")]
fn tun(context: &Context) -> Finding {
    use crate::os::netns::{Closed, Step, TUN};
    match std::fs::OpenOptions::new().read(true).write(true).open(TUN) {
        Ok(_) => good("tun", TUN),
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or_default();
            bad(context, "tun", &fail::closed(Closed { step: Step::Tun, errno }))
        }
    }
}

#[cfg(target_os = "linux")]
fn networks(context: &Context) -> Finding {
    match crate::connect::vpn::inside::Inside::make() {
        Ok(_) => good(
            "networks",
            context.pick(
                "chaque client peut avoir son propre réseau, sans privilège",
                "each client can have a network of its own, without privilege",
            ),
        ),
        Err(failure) => bad(context, "networks", &failure),
    }
}
