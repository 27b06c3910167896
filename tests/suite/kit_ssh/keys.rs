//! Keys of people and servers, and OpenSSH's agent that holds one.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::machine::sh;

/// Makes a key pair with ssh-keygen; the path of the private half.
pub fn keygen(dir: &Path, name: &str, args: &[&str]) -> PathBuf {
    let path = dir.join(name);
    let mut all = vec!["-q", "-f", path.to_str().expect("UTF-8"), "-C", "test"];
    all.extend(args);
    if !args.contains(&"-N") {
        all.extend(["-N", ""]);
    }
    sh("ssh-keygen", &all);
    path
}

/// OpenSSH's agent with one key; ends with its value.
pub struct SshAgent {
    /// Where it listens.
    pub socket: String,
    process: Child,
    _dir: tempfile::TempDir,
}

impl SshAgent {
    /// Starts one that holds the key of this file.
    pub fn start(key: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let socket = dir.path().join("agent.sock").to_str().expect("UTF-8").to_owned();
        let mut process = Command::new("ssh-agent")
            .args(["-D", "-a", &socket])
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssh-client is installed");
        // It prints its variables once it listens.
        let mut first = [0u8; 1];
        process.stdout.as_mut().expect("piped").read_exact(&mut first).expect("it speaks");
        let key = key.to_str().expect("UTF-8");
        sh("env", &[&format!("SSH_AUTH_SOCK={socket}"), "ssh-add", "-q", key]);
        Self { socket, process, _dir: dir }
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An EC key as OpenSSL 0.9 wrote it, with the passphrase `phrase`.
const OLD_PEM: &str = "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: DES-EDE3-CBC,E60880AF550EE1CA

Wa+Krb4NXcVKMNUl+KncXM/Q1h8My3LaYz/ycbvqCgENVBMtZUn2VtO/HxmxMuVj
3mI3VkR9TltaRgs0i8gkEDVkchZ86AYtr5Iuc9q3UTN2HCrgnMvJurXeUnfxcuj0
uTiTa/07jOJLAU5j0ezzBHryvOVZmBJfMyFDvOLHCPU=
-----END EC PRIVATE KEY-----
";

/// A key of every usual type and form, and its passphrase.
pub fn key_forms(dir: &Path) -> Vec<(&'static str, PathBuf, Option<&'static str>)> {
    use std::os::unix::fs::OpenOptionsExt;
    let kinds: &[(&str, &[&str], Option<&str>)] = &[
        ("ed25519", &["-t", "ed25519"], None),
        ("rsa", &["-t", "rsa", "-b", "2048"], None),
        ("ecdsa256", &["-t", "ecdsa", "-b", "256"], None),
        ("ecdsa521", &["-t", "ecdsa", "-b", "521"], None),
        ("ed25519enc", &["-t", "ed25519", "-a", "2", "-N", "phrase é"], Some("phrase é")),
        ("rsapem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], None),
        ("rsapemenc", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "phrase"], Some("phrase")),
        ("rsapkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "phrase"], Some("phrase")),
        ("ecpem", &["-t", "ecdsa", "-b", "256", "-m", "PEM"], None),
        ("ecpemenc", &["-t", "ecdsa", "-b", "256", "-m", "PEM", "-N", "phrase"], Some("phrase")),
        ("ecpkcs8", &["-t", "ecdsa", "-b", "384", "-m", "PKCS8"], None),
    ];
    let mut forms: Vec<_> = kinds
        .iter()
        .map(|(name, args, phrase)| (*name, keygen(dir, name, args), *phrase))
        .collect();
    let old = dir.join("ecdes");
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(&old).expect("ours");
    std::io::Write::write_all(&mut file, OLD_PEM.as_bytes()).expect("ours");
    let public = sh("ssh-keygen", &["-y", "-P", "phrase", "-f", old.to_str().expect("UTF-8")]);
    fs::write(old.with_extension("pub"), public).expect("ours");
    forms.push(("ecdes", old, Some("phrase")));
    forms
}
