//! Logging in by libssh2: which methods in which order, and the answers to the
//! server's questions. Secrets are asked for when a method is about to use them,
//! so those that are not needed never leave the application.

use ssh2::{KeyboardInteractivePrompt, Prompt};

use super::engine::{Driver, EAGAIN, Stop, number};
use super::route::Leg;
use super::settings::Auth;
use super::{fail, key};
use crate::connect::{Failure, Progress, Question};
use crate::model::entry::Slot;
use crate::secret::SecretText;

/// libssh2: the key could not be used (`LIBSSH2_ERROR_FILE`, `KEYFILE_AUTH_FAILED`).
const KEY_UNUSABLE: [i32; 2] = [-16, -48];

/// libssh2: the password must be changed (`LIBSSH2_ERROR_PASSWORD_EXPIRED`).
const EXPIRED: i32 = -15;

/// How often a person may type a password, or a key's passphrase.
pub const TRIES: usize = 3;

/// A login method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// The entry's key.
    PublicKey,
    /// The agent's keys.
    Agent,
    /// RFC 4252 section 8.
    Password,
    /// RFC 4256.
    Interactive,
}

impl Method {
    /// As the protocol names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PublicKey | Self::Agent => "publickey",
            Self::Password => "password",
            Self::Interactive => "keyboard-interactive",
        }
    }

    /// As a person reads it.
    pub fn shown(self) -> &'static str {
        if self == Self::Agent { "agent" } else { self.name() }
    }
}

/// What a method came to.
enum Outcome {
    Refused,
    /// The entry has nothing for it.
    Nothing,
}

struct Login<'a> {
    leg: &'a Leg<'a>,
    driver: &'a Driver,
    user: &'a str,
    password: Option<SecretText>,
}

/// Which methods to try, in order. A seed in the entry means that the server
/// will ask for a code, which only keyboard-interactive can answer.
pub fn order(auth: Auth, slots: &[Slot]) -> Vec<Method> {
    let key = slots.contains(&Slot::PrivateKey);
    let totp = slots.contains(&Slot::Totp);
    match auth {
        Auth::Password => vec![Method::Password],
        Auth::PublicKey => vec![Method::PublicKey],
        Auth::Agent => vec![Method::Agent],
        Auth::Interactive => vec![Method::Interactive],
        Auth::Auto => {
            let mut all = if key { vec![Method::PublicKey] } else { Vec::new() };
            if totp {
                all.extend([Method::Interactive, Method::Password]);
            } else {
                all.extend([Method::Password, Method::Interactive]);
            }
            all
        }
    }
}

/// Logs in; the name that was used.
///
/// # Errors
/// The login was refused, a secret is missing or unusable, or the connection broke.
pub fn login(leg: &Leg<'_>, driver: &Driver) -> Result<String, Failure> {
    let user = user(leg)?;
    let mut login = Login { leg, driver, user: &user, password: None };
    login.run()?;
    Ok(user)
}

/// The login name, asked for if the entry has none.
///
/// # Errors
/// Nobody gave one.
pub fn user(leg: &Leg<'_>) -> Result<String, Failure> {
    let hop = leg.hop;
    if !hop.user.is_empty() {
        return Ok(hop.user.clone());
    }
    let typed = leg.up.ask_text(Question::User).map(|t| t.expose(|t| t.trim().to_owned()));
    typed.filter(|name| !name.is_empty()).ok_or_else(|| fail::no_user(&hop.at))
}

/// The socket of the agent: the entry's, else that of the login session.
///
/// # Errors
/// There is none.
pub fn agent_socket<'a>(leg: &Leg<'a>) -> Result<&'a str, Failure> {
    match (leg.settings.agent_socket.as_str(), leg.agent) {
        ("", None) => Err(fail::no_agent()),
        ("", Some(path)) => Ok(path),
        (path, _) => Ok(path),
    }
}

/// The password of the entry, the first time it is asked for.
pub fn stored_password(leg: &Leg<'_>) -> Option<SecretText> {
    leg.hop.slots.contains(&Slot::Password).then_some(())?;
    leg.up.secret(leg.index, &Slot::Password)?.into_text().ok()
}

impl Login<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        let mut left = order(self.leg.settings.auth, &self.leg.hop.slots);
        // With one chosen method a second factor may still be asked for.
        let chosen = self.leg.settings.auth != Auth::Auto;
        let mut tried: Vec<&'static str> = Vec::new();
        let mut offered = self.offered()?;
        loop {
            if self.driver.session.authenticated() {
                return Ok(());
            }
            let takes = |m: &Method| offered.split(',').any(|name| name == m.name());
            let Some(next) = left.iter().position(takes) else { break };
            let method = left.remove(next);
            self.leg.up.say(&Progress::Authenticating(method.shown().into()));
            match self.attempt(method)? {
                Outcome::Nothing => continue,
                Outcome::Refused if self.driver.session.authenticated() => return Ok(()),
                Outcome::Refused => tried.push(method.shown()),
            }
            // A list without the method just tried means that it succeeded in
            // part (RFC 4252 section 5.1) and others must follow.
            let now = self.offered()?;
            let partly = now != offered && !now.split(',').any(|name| name == method.name());
            offered = now;
            if partly {
                tried.clear();
                if chosen {
                    left = order(Auth::Auto, &self.leg.hop.slots);
                }
            } else if method == Method::Password || method == Method::Interactive {
                // The same password again by another method would only count
                // twice towards being locked out.
                left.retain(|m| !matches!(m, Method::Password | Method::Interactive));
            }
        }
        Err(fail::login(self.user, &self.leg.hop.at, &tried, &offered))
    }

    /// The methods the server would take now, comma separated.
    fn offered(&self) -> Result<String, Failure> {
        let session = &self.driver.session;
        self.driver
            .drive(|| match session.auth_methods(self.user) {
                _ if session.authenticated() => Ok(String::new()),
                Ok(list) => Ok(list.to_owned()),
                Err(e) => Err(e),
            })
            .map_err(|stop| self.stopped(&stop))
    }

    fn attempt(&mut self, method: Method) -> Result<Outcome, Failure> {
        match method {
            Method::PublicKey => self.public_key(),
            Method::Agent => self.agent(),
            Method::Password => self.by_password(),
            Method::Interactive => self.interactive(),
        }
    }

    fn public_key(&self) -> Result<Outcome, Failure> {
        let leg = self.leg;
        let Some(text) = leg.up.secret(leg.index, &Slot::PrivateKey) else {
            return Ok(Outcome::Nothing);
        };
        let ready = key::of(leg, self.user, text)?;
        let session = &self.driver.session;
        let result = ready.text.expose(|text| {
            let go = |phrase: Option<&str>| {
                self.driver.drive(|| session.userauth_pubkey_memory(self.user, None, text, phrase))
            };
            match &ready.passphrase {
                Some(phrase) => phrase.expose(|p| go(Some(p))),
                None => go(None),
            }
        });
        match result {
            Err(Stop::Ssh(e)) if KEY_UNUSABLE.contains(&number(&e)) => {
                Err(match ready.passphrase {
                    Some(_) => fail::passphrase_wrong(),
                    None => fail::key_unreadable(),
                })
            }
            other => self.outcome(other),
        }
    }

    fn agent(&self) -> Result<Outcome, Failure> {
        let trouble = |e: ssh2::Error| fail::agent(e.message());
        let path = agent_socket(self.leg)?;
        let mut agent = self.driver.session.agent().map_err(trouble)?;
        agent.set_identity_path(path.as_ref()).map_err(trouble)?;
        agent.connect().map_err(trouble)?;
        agent.list_identities().map_err(trouble)?;
        let keys = agent.identities().map_err(trouble)?;
        if keys.is_empty() {
            return Err(fail::agent_empty());
        }
        for key in &keys {
            match self.driver.drive(|| agent.userauth(self.user, key)) {
                Ok(()) => return Ok(Outcome::Refused),
                Err(Stop::Ssh(e)) if number(&e) != EAGAIN && !super::engine::is_broken(&e) => {}
                Err(stop) => return Err(self.stopped(&stop)),
            }
        }
        Ok(Outcome::Refused)
    }

    /// The password of the entry, or a typed one.
    fn take_password(&mut self) -> Option<SecretText> {
        self.password.take().or_else(|| stored_password(self.leg))
    }

    fn by_password(&mut self) -> Result<Outcome, Failure> {
        let (at, session) = (&self.leg.hop.at, &self.driver.session);
        let mut given = self.take_password();
        let typed = given.is_none();
        for nth in 0..TRIES {
            let password = match given.take() {
                Some(password) => password,
                None => {
                    let (user, at, again) = (self.user.to_owned(), at.clone(), nth > 0);
                    match self.leg.up.ask_text(Question::Password { user, at, again }) {
                        Some(password) => password,
                        None if again => return Ok(Outcome::Refused),
                        None => return Ok(Outcome::Nothing),
                    }
                }
            };
            let result =
                password.expose(|p| self.driver.drive(|| session.userauth_password(self.user, p)));
            if let Err(Stop::Ssh(e)) = &result
                && number(e) == EXPIRED
            {
                return Err(fail::password_expired(self.user, at));
            }
            let outcome = self.outcome(result)?;
            if !typed || session.authenticated() {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Refused)
    }

    fn interactive(&mut self) -> Result<Outcome, Failure> {
        let password = self.take_password();
        let session = &self.driver.session;
        let mut answers = Answers {
            leg: self.leg,
            driver: self.driver,
            password,
            code_given: false,
            refused: false,
        };
        let result =
            self.driver.drive(|| session.userauth_keyboard_interactive(self.user, &mut answers));
        if answers.refused && !session.authenticated() {
            return Ok(Outcome::Nothing);
        }
        self.outcome(result)
    }

    fn outcome(&self, result: Result<(), Stop>) -> Result<Outcome, Failure> {
        match result {
            Ok(()) => Ok(Outcome::Refused),
            Err(Stop::Ssh(e)) if !super::engine::is_broken(&e) => Ok(Outcome::Refused),
            Err(stop) => Err(self.stopped(&stop)),
        }
    }

    fn stopped(&self, stop: &Stop) -> Failure {
        stop.failure(&self.leg.hop.at, self.driver.secs())
    }
}

/// Answers the server's questions (RFC 4256): the password once, the code, and
/// the person for everything else.
struct Answers<'a> {
    leg: &'a Leg<'a>,
    driver: &'a Driver,
    password: Option<SecretText>,
    code_given: bool,
    refused: bool,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt<'b>(
        &mut self,
        _username: &str,
        instructions: &str,
        prompts: &[Prompt<'b>],
    ) -> Vec<String> {
        let answers = prompts
            .iter()
            .map(|prompt| {
                let answer = answer_for(
                    self.leg,
                    &mut self.password,
                    &mut self.code_given,
                    instructions,
                    &prompt.text,
                    prompt.echo,
                );
                self.refused |= answer.is_none();
                answer.map(|text| text.expose(str::to_owned)).unwrap_or_default()
            })
            .collect();
        self.driver.renew();
        answers
    }
}

/// One answer; `None` when the person gave none.
pub fn answer_for(
    leg: &Leg<'_>,
    password: &mut Option<SecretText>,
    code_given: &mut bool,
    instructions: &str,
    prompt: &str,
    echo: bool,
) -> Option<SecretText> {
    if asks_for_code(prompt) && leg.hop.slots.contains(&Slot::Totp) && !*code_given {
        *code_given = true;
        if let Some(code) = leg.up.totp(leg.index) {
            return Some(code);
        }
    }
    if asks_for_password(prompt)
        && let Some(password) = password.take()
    {
        return Some(password);
    }
    let text = match instructions.trim() {
        "" => prompt.to_owned(),
        words => format!("{words}\n{prompt}"),
    };
    leg.up.ask_text(Question::Prompt { text, echo })
}

/// Words with which servers ask for a one-time code.
fn asks_for_code(prompt: &str) -> bool {
    let prompt = prompt.to_lowercase();
    [
        "code",
        "otp",
        "token",
        "one-time",
        "one time",
        "verification",
        "authenticator",
        "2fa",
        "two-factor",
        "usage unique",
        "passcode",
    ]
    .iter()
    .any(|word| prompt.contains(word))
}

/// Words with which servers ask for the password.
fn asks_for_password(prompt: &str) -> bool {
    let prompt = prompt.to_lowercase();
    !asks_for_code(&prompt)
        && ["password", "mot de passe", "passwort", "contraseña", "kennwort"]
            .iter()
            .any(|word| prompt.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_told_apart() {
        for code in ["Verification code: ", "One-time password (OATH) for `x': ", "OTP:"] {
            assert!(asks_for_code(code) && !asks_for_password(code), "{code}");
        }
        for password in ["Password: ", "(root@host) Password:", "Mot de passe\u{a0}:"] {
            assert!(asks_for_password(password), "{password}");
        }
        assert!(!asks_for_password("Favourite colour?") && !asks_for_code("Favourite colour?"));
    }

    #[test]
    fn a_seed_makes_keyboard_interactive_come_first() {
        let slots = [Slot::Password, Slot::Totp];
        assert_eq!(order(Auth::Auto, &slots), [Method::Interactive, Method::Password]);
        let slots = [Slot::Password, Slot::PrivateKey];
        assert_eq!(order(Auth::Auto, &slots)[0], Method::PublicKey);
    }
}
