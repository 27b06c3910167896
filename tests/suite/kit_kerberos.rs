//! A real KDC, MIT's, with a realm of its own on loopback; and a server of remote
//! desktops that takes its tickets by MIT's library (`tests/data/nla_kerberos.py`), since no
//! server of Debian's does so over RDP.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use poterne::model::target::{Hop, HostPort};

use crate::kit_rdp::{certificate, eventually, pinned};
use crate::kit_ssh::*;
use crate::kit_told::Told;

/// Its realm.
pub const REALM: &str = "ESSAI.TEST";
/// The server's name in it.
pub const SERVER: &str = "TERMSRV/localhost";

/// A running KDC.
pub struct Realm {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// Its database and its configuration.
    pub dir: tempfile::TempDir,
    process: Child,
}

impl Realm {
    /// Starts one with the user `ada`, and a server.
    pub fn start(password: &str) -> Self {
        Self::start_at(password, "+0s")
    }

    /// As [`Realm::start`], with a clock that differs by so much.
    pub fn start_at(password: &str, clock: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let place = dir.path().display();
        let client = format!(
            "[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\n\
             dns_lookup_realm = false\nrdns = false\nudp_preference_limit = 1\n[realms]\n\
             {REALM} = {{\nkdc = 127.0.0.1:{port}\n}}\n"
        );
        let server = format!(
            "[kdcdefaults]\nkdc_listen = \"\"\nkdc_tcp_listen = 127.0.0.1:{port}\n[realms]\n\
             {REALM} = {{\ndatabase_name = {place}/principal\nkey_stash_file = {place}/stash\n\
             acl_file = {place}/acl\n}}\n[logging]\nkdc = FILE:{place}/kdc.log\n"
        );
        fs::write(dir.path().join("krb5.conf"), client).expect("ours");
        fs::write(dir.path().join("kdc.conf"), server).expect("ours");
        let mut make = Command::new("kdb5_util");
        make.args(["create", "-s", "-r", REALM, "-P", "maitre"]);
        let made = configured(&mut make, dir.path()).status().expect("krb5-kdc is installed");
        assert!(made.success());
        let mut kdc = Command::new("faketime");
        kdc.args(["-f", clock, "krb5kdc", "-n", "-r", REALM]);
        configured(&mut kdc, dir.path());
        let process = kdc.spawn().expect("faketime and krb5-kdc are installed");
        let realm = Self { port, dir, process };
        let keytab = realm.dir.path().join("keytab");
        realm.admin(&[
            &format!("addprinc +requires_preauth -pw {password} ada"),
            &format!("addprinc -randkey {SERVER}"),
            &format!("ktadd -k {} {SERVER}", keytab.display()),
        ]);
        eventually("the KDC listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        realm
    }

    /// Has its administrator do this.
    pub fn admin(&self, commands: &[&str]) {
        let mut kadmin = Command::new("kadmin.local");
        configured(&mut kadmin, self.dir.path()).args(["-r", REALM]);
        let mut kadmin = kadmin
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("krb5-admin-server is installed");
        let mut typed = kadmin.stdin.take().expect("piped");
        for command in commands {
            writeln!(typed, "{command}").expect("it reads");
        }
        drop(typed);
        let done = kadmin.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(!told.contains(" while "), "{commands:?}: {told}");
    }

    /// Where it is, for an entry.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("kdc.log")).unwrap_or_default()
    }

    /// Ends it.
    pub fn kill(&mut self) {
        kill_with_all(&mut self.process);
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

fn configured<'a>(command: &'a mut Command, dir: &Path) -> &'a mut Command {
    command.env("KRB5_CONFIG", dir.join("krb5.conf"));
    command.env("KRB5_KDC_PROFILE", dir.join("kdc.conf"));
    command.env("KRB5CCNAME", "MEMORY:");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// A server that takes tickets of a realm.
pub struct Taker {
    /// Where it listens, and what it tells.
    pub told: Told,
    /// Its certificate.
    pub dir: tempfile::TempDir,
}

impl Taker {
    /// Starts one that goes this way (see the script).
    pub fn start(realm: &Realm, way: &str, clock: &str) -> Self {
        Self::launch(realm, way, clock, ("keytab", SERVER))
    }

    /// Starts one that goes by another name, with the keys of this file.
    pub fn start_as(realm: &Realm, keytab: &str, name: &str) -> Self {
        Self::launch(realm, "kerberos", "+0s", (keytab, name))
    }

    fn launch(realm: &Realm, way: &str, clock: &str, (keytab, name): (&str, &str)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        certificate(dir.path());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nla_kerberos.py");
        let mut command = Command::new("faketime");
        command.args(["-f", clock, "python3", script]);
        command.args([dir.path().join("cert.pem"), dir.path().join("key.pem")]);
        command.arg(realm.dir.path().join(keytab)).arg(format!("{name}@{REALM}")).arg(way);
        configured(&mut command, realm.dir.path());
        Self { told: Told::start(command.stderr(Stdio::inherit())), dir }
    }

    /// A hop to it by its name, for the user `ada` of the realm.
    pub fn hop(&self, realm: &Realm) -> Hop {
        let port = self.told.port;
        let mut hop = hop(port);
        hop.at = HostPort { host: "localhost".into(), port };
        hop.user = format!("{REALM}\\ada");
        hop.pinned.push(pinned(&hop.at, self.dir.path()));
        with(hop, "kdc", &realm.place())
    }
}
