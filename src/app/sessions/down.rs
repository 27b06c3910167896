//! A VPN that is taken down because somebody asks for it. Raises none.

use crate::app::api::{AppError, At, Code, Reply};
use crate::app::entries::{locate, need};
use crate::app::worker::Worker;
use crate::model::lang::Bi;
use crate::model::policy::Action;

impl Worker {
    pub(in crate::app) fn vpn_down(&mut self, at: &At) -> Result<Reply, AppError> {
        let (key, path) = self.opened()?.read(|v, _| {
            need(v, Action::Connect)?;
            let node = locate(v, at)?;
            Ok(((node.id, v.me), v.index.path(&node)))
        })?;
        if self.tunnels.down(key) { Ok(Reply::Done) } else { Err(not_up(&path)) }
    }
}

fn not_up(path: &str) -> AppError {
    AppError {
        code: Code::NotFound,
        what: Bi::new(
            format!("Le VPN «\u{a0}{path}\u{a0}» n’est pas monté."),
            format!("The VPN “{path}” is not up."),
        ),
        todo: Bi::new(
            "Voyez ceux qui le sont\u{a0}: poterne vpn list",
            "See which are: poterne vpn list",
        ),
    }
}
