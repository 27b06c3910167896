//! Flags of what takes VPN profiles in and says which VPNs are up. None takes a secret.

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub enum Vpn {
    /// Make a VPN of an OpenVPN profile, or renew it: shows what is left out of it
    Import(VpnImport),
    /// Fetch a profile again from where it came, show what changed, and ask
    Fetch {
        /// Client/Folder/Name
        path: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Which are up: state, address, sessions, bytes
    List,
    /// Take one down: its sessions end
    Down {
        /// Client/Folder/Name
        path: String,
    },
}

#[derive(Args)]
pub struct VpnImport {
    /// An .ovpn file, a folder of them, or an https address of a portal
    #[arg(value_name = "FILE|FOLDER|URL")]
    pub from: String,
    /// Client or folder that it goes into
    #[arg(long, value_name = "CLIENT/FOLDER")]
    pub into: String,
    /// Its name (else that of the file)
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Do not ask before a VPN that is there already is renewed
    #[arg(long)]
    pub yes: bool,
}
