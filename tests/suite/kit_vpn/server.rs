//! OpenVPN's own server, and the profile of its client.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::channel;

use super::namespace::Namespace;
use super::pki::{Authority, static_key};
use super::setup::{Code, ControlKey, Setup};
use crate::kit_ssh::{PATIENCE, kill_with_all};

/// A server's configuration, the profile of its client, and its process.
pub struct Server {
    setup: Setup,
    folder: PathBuf,
    process: Option<Child>,
    authority: String,
    own: Option<(String, String)>,
    control_key: Option<String>,
}

impl Server {
    /// Writes all that it needs into `folder`.
    pub fn new(setup: Setup, folder: &Path) -> Self {
        let at = |name: &str| folder.join(name);
        let write = |name: &str, text: &str| {
            fs::write(at(name), text).expect("ours");
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).expect("ours");
        };
        let authority = Authority::make("Essai CA");
        let server = authority.pair("vpn.essai.test", true, setup.server_lasts);
        write("ca.pem", &authority.pem());
        write("server.pem", &server.certificate);
        write("server.key", &server.key(None));
        let mut config = format!(
            "dev tun\ntopology subnet\nserver 10.8.0.0 255.255.255.0\nport {}\nproto {}\n\
             ca ca.pem\ncert server.pem\nkey server.key\ndh none\nkeepalive {} {}\nverb 3\n\
             push \"route 192.168.1.0 255.255.255.0\"\n\
             push \"dhcp-option DNS 192.168.1.53\"\npush \"dhcp-option DOMAIN {}\"\n",
            setup.port,
            if setup.tcp { "tcp6-server" } else { "udp6" },
            setup.keepalive.0,
            setup.keepalive.1,
            super::lan::DOMAIN,
        );
        if setup.ipv6 {
            config += "server-ipv6 fd00:8::/64\npush \"route-ipv6 fd00:168:1::/64\"\n";
        }
        if !setup.certificate {
            config += "verify-client-cert none\n";
        }
        if let Some((user, password)) = setup.login {
            write("user", user);
            write("password", password);
            write("check", &check(&setup));
            fs::set_permissions(at("check"), fs::Permissions::from_mode(0o700)).expect("ours");
            config += "username-as-common-name\nscript-security 2\n\
                       auth-user-pass-verify ./check via-file\n";
        }
        let control_key = (setup.control_key != ControlKey::None).then(|| {
            let key = static_key();
            write("control.key", &key);
            key
        });
        config += match setup.control_key {
            ControlKey::None => "",
            ControlKey::Crypt | ControlKey::WrongCrypt => "tls-crypt control.key\n",
            ControlKey::Auth => "tls-auth control.key 0\n",
        };
        for line in &setup.lines {
            config += &format!("{line}\n");
        }
        write("server.conf", &config);
        let own = setup.certificate.then(|| {
            let pair = authority.pair("alice", false, setup.own_lasts);
            (pair.certificate.clone(), pair.key(setup.passphrase))
        });
        let shown = match setup.wrong_authority {
            false => authority.pem(),
            true => Authority::make("Another CA").pem(),
        };
        let control_key = match setup.control_key {
            ControlKey::WrongCrypt => Some(static_key()),
            _ => control_key,
        };
        let folder = folder.to_owned();
        Self { setup, folder, process: None, authority: shown, own, control_key }
    }

    /// Starts it, or starts it again, and waits until it serves.
    pub fn start(&mut self, namespace: &Namespace) {
        let mut process = namespace
            .command("openvpn")
            .args(["--config", "server.conf"])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("openvpn is installed");
        let lines = BufReader::new(process.stdout.take().expect("piped"));
        self.process = Some(process);
        let log = fs::OpenOptions::new().append(true).create(true).open(self.folder.join("log"));
        let mut log = log.expect("ours");
        let (ready, serves) = channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = writeln!(log, "{line}");
                if line.contains("Initialization Sequence Completed") {
                    let _ = ready.send(());
                }
            }
        });
        assert!(serves.recv_timeout(PATIENCE).is_ok(), "openvpn did not start: {}", self.log());
    }

    /// Kills it, as a crash would: it tells its clients nothing.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill_with_all(&mut process);
        }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The users that logins came from, right or wrong, in order.
    pub fn logins(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("logins")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The client's profile for a server at this place.
    pub fn profile(&self, host: &str, port: u16) -> String {
        let setup = &self.setup;
        let protocol = match (setup.tcp, host.contains(':')) {
            (false, false) => "udp",
            (false, true) => "udp6",
            (true, false) => "tcp-client",
            (true, true) => "tcp6-client",
        };
        let mut text = format!(
            "client\ndev tun\nremote {host} {port} {protocol}\nnobind\nremote-cert-tls server\n\
             <ca>\n{}</ca>\n",
            self.authority
        );
        if setup.login.is_some() {
            text += "auth-user-pass\n";
        }
        if setup.code == Code::Static {
            text += "static-challenge \"Code of the phone\" 1\n";
        }
        if let Some((certificate, key)) = &self.own {
            text += &format!("<cert>\n{certificate}</cert>\n<key>\n{key}</key>\n");
        }
        if let Some(key) = &self.control_key {
            text += &match setup.control_key {
                ControlKey::Auth => format!("key-direction 1\n<tls-auth>\n{key}</tls-auth>\n"),
                _ => format!("<tls-crypt>\n{key}</tls-crypt>\n"),
            };
        }
        for line in &setup.profile_lines {
            text += &format!("{line}\n");
        }
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The script that checks a login.
fn check(setup: &Setup) -> String {
    let right = match setup.seed {
        None => format!("[ \"$1\" = '{}' ]", setup.right_code),
        Some(seed) => {
            format!("oathtool --totp -N '30 seconds ago' -w 2 '{seed}' | grep -qxF -- \"$1\"")
        }
    };
    let verify = match setup.code {
        Code::None => "[ \"$p\" = \"$password\" ] && exit 0",
        Code::Append => {
            "case \"$p\" in \"$password\"*) right \"${p#\"$password\"}\" && exit 0;; esac"
        }
        Code::Static => {
            "code=${p##*:}\n\
             case \"$p\" in \"SCRV1:$(printf %s \"$password\" | base64 -w 0):\"*)\n\
             right \"$(printf %s \"$code\" | base64 -d)\" && exit 0;; esac"
        }
        Code::Dynamic => {
            "case \"$p\" in\n\
             \"CRV1::E5sa7::\"*) right \"${p#CRV1::E5sa7::}\" && exit 0;;\n\
             \"$password\") printf %s \"CRV1:R,E:E5sa7:$(printf %s \"$u\" | base64 -w 0):Code of \
             the phone\" > \"$auth_failed_reason_file\"; exit 1;;\nesac"
        }
    };
    let refusal = match setup.refusal {
        None => String::new(),
        Some(text) => format!("printf %s '{text}' > \"$auth_failed_reason_file\"\n"),
    };
    format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin\nright() {{ {right}; }}\npassword=$(cat password)\n\
         u=$(sed -n 1p \"$1\"); p=$(sed -n 2p \"$1\")\nprintf '%s\\n' \"$u\" >> logins\n\
         if [ \"$u\" = \"$(cat user)\" ]; then\n{verify}\nfi\n{refusal}exit 1\n"
    )
}
