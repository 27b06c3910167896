//! The page of a login as the browser tells of it: what is on it, where it came
//! from, what it asks for. Fills a field only while the page is of the entry's own
//! origin, and while nothing can take its place.

use std::collections::BTreeSet;
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::cdp::{Cdp, Heard, Silence};
use super::log::Log;
use super::presets;
use super::trust;
use crate::connect::Failure;
use crate::connect::host::child::Uplink;
use crate::model::entry::Slot;
use crate::model::target::Hop;
use crate::secret::SecretBytes;

const FIND: &str = include_str!("find.js");

/// How long the browser may take for one answer.
const ANSWER: Duration = Duration::from_secs(20);

/// How often a page that is being replaced is asked again, and after how long.
const ASKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// What is on the page.
#[derive(serde::Deserialize, Default)]
pub struct Sight {
    pub origin: String,
    /// There is a document.
    pub ready: bool,
    /// All of it has come.
    pub complete: bool,
    pub user: bool,
    pub password: bool,
    pub code: bool,
    pub submit: bool,
    /// The button is one that was declared.
    pub named: bool,
    /// Several fields for passwords: one is to be changed.
    pub many: bool,
    x: f64,
    y: f64,
    focused: bool,
    /// A selector that is none.
    pub bad: Option<String>,
}

/// How far HTTP's own question for a login is (RFC 9110 section 11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    No,
    /// It was answered.
    Answered,
    /// It was asked once more, or there is no answer: the person has the question.
    Left,
}

/// The page, and what is known of it.
pub struct Page<'a> {
    pub hop: &'a Hop,
    pub index: usize,
    pub up: &'a Uplink,
    pub log: Log,
    /// Of the entry's address.
    pub origin: String,
    /// The way to the page in the browser.
    session: String,
    target: String,
    /// The page's main frame.
    frame: String,
    /// Number of the order to go to the entry's address.
    order: u64,
    /// Why it could not be followed.
    pub error: Option<String>,
    /// The address that an error page stands for.
    pub unreachable: Option<String>,
    /// How often another document came.
    pub visits: u32,
    /// Frames whose next document is on its way.
    moving: BTreeSet<String>,
    /// Requests that wait until a field is filled.
    held: Option<Vec<Value>>,
    /// The page waits for the person.
    pub dialog: bool,
    /// The window is closed.
    pub closed: bool,
    /// The certificate that the page came with, as DER.
    pub certificate: Option<Vec<u8>>,
    /// Whom the page comes from is beyond doubt: nothing is given before.
    pub sure: bool,
    /// A question of HTTP's was put off until that is so.
    pub put_off: bool,
    pub http: Asked,
    /// Another origin that asked HTTP's question; it gets no answer from here.
    pub stranger: Option<String>,
    /// What came of the certificate.
    pub key: String,
}

impl<'a> Page<'a> {
    /// The first page of the browser.
    ///
    /// # Errors
    /// The browser does not answer.
    pub fn attach(
        cdp: &mut Cdp,
        (index, hop, up): (usize, &'a Hop, &'a Uplink),
    ) -> Result<Self, Silence> {
        let none = |_: &mut Cdp, _: Value| None;
        let mut call = |session: &str, method: &str, params: Value| {
            cdp.call((session, method, params), ANSWER, none)
        };
        call("", "Target.setDiscoverTargets", json!({ "discover": true }))?;
        let target = loop {
            let all = call("", "Target.getTargets", json!({}))?;
            let mut pages = all["targetInfos"].as_array().into_iter().flatten();
            match pages.find(|target| target["type"] == "page") {
                Some(page) => break page["targetId"].as_str().unwrap_or_default().to_owned(),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        let attached =
            call("", "Target.attachToTarget", json!({ "targetId": target, "flatten": true }))?;
        let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        call(&session, "Page.enable", json!({}))?;
        call(&session, "Security.enable", json!({}))?;
        let patterns = json!([{ "urlPattern": "*" }]);
        let fetch = json!({ "patterns": patterns, "handleAuthRequests": true });
        call(&session, "Fetch.enable", fetch)?;
        let tree = call(&session, "Page.getFrameTree", json!({}))?;
        let frame = tree["frameTree"]["frame"]["id"].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            hop,
            index,
            up,
            log: Log::default(),
            origin: String::new(),
            session,
            target,
            frame,
            order: 0,
            error: None,
            unreachable: None,
            visits: 0,
            moving: BTreeSet::new(),
            held: None,
            dialog: false,
            closed: false,
            certificate: None,
            sure: false,
            put_off: false,
            http: Asked::No,
            stranger: None,
            key: String::new(),
        })
    }

    /// A command about the page.
    ///
    /// # Errors
    /// There is no answer.
    pub fn call(&mut self, cdp: &mut Cdp, method: &str, params: Value) -> Result<Value, Silence> {
        let session = self.session.clone();
        cdp.call((&session, method, params), ANSWER, |cdp, message| self.hear(cdp, message))
    }

    fn send(&self, cdp: &mut Cdp, method: &str, params: Value) -> u64 {
        cdp.send(&self.session, method, params)
    }

    /// An address as the browser reads it: its origin.
    ///
    /// # Errors
    /// There is no answer.
    pub fn origin_of(&mut self, cdp: &mut Cdp, address: &str) -> Result<String, Silence> {
        let ask = json!({ "expression": format!("new URL({}).origin", json!(address)) });
        for _ in 0..ASKS {
            match self.call(cdp, "Runtime.evaluate", ask.clone()) {
                Ok(said) => {
                    return Ok(said["result"]["value"].as_str().unwrap_or_default().to_owned());
                }
                // The document is just being replaced by another.
                Err(Silence::Busy) => self.wait(cdp, PAUSE)?,
                Err(other) => return Err(other),
            }
        }
        Err(Silence::Busy)
    }

    /// Goes to an address.
    pub fn go(&mut self, cdp: &mut Cdp, address: &str) {
        self.order = self.send(cdp, "Page.navigate", json!({ "url": address }));
    }

    /// Loads the page once more.
    pub fn reload(&mut self, cdp: &mut Cdp) {
        self.send(cdp, "Page.reload", json!({}));
    }

    /// Goes past the browser's warning, which then lets through this certificate for
    /// this machine, and no other. Asked again until the page is there: the warning
    /// takes a while to listen.
    pub fn go_on(&mut self, cdp: &mut Cdp) {
        let proceed = "document.readyState === 'complete' \
                       && window.certificateErrorPageController \
                       && certificateErrorPageController.proceed()";
        self.send(cdp, "Runtime.evaluate", json!({ "expression": proceed }));
    }

    /// Lets go of the page: what comes now is between the person and the page.
    pub fn let_go(&mut self, cdp: &mut Cdp) {
        self.send(cdp, "Fetch.disable", json!({}));
        let session = json!({ "sessionId": self.session });
        cdp.send("", "Target.detachFromTarget", session);
    }

    /// The page's target in the browser.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Hears what comes for so long, or until something has come.
    ///
    /// # Errors
    /// The browser has ended, or the application wants the end.
    pub fn wait(&mut self, cdp: &mut Cdp, limit: Duration) -> Result<(), Silence> {
        use crate::connect::host::child::Command;
        match cdp.next(Some(limit)) {
            Some(Heard::Gone) => Err(Silence::Gone),
            Some(Heard::Command(Command::Quit)) => Err(Silence::Quit),
            Some(Heard::Message(message)) => {
                self.hear(cdp, message);
                Ok(())
            }
            // No channel is open yet.
            Some(Heard::Command(_)) | None => Ok(()),
        }
    }

    /// Something that the browser tells; given back what is not about the page.
    fn hear(&mut self, cdp: &mut Cdp, mut message: Value) -> Option<Value> {
        if message["id"] == self.order && message.get("method").is_none() {
            let error = message["result"]["errorText"].as_str();
            self.error = error.filter(|e| *e != "net::ERR_ABORTED").map(str::to_owned);
            return None;
        }
        let method = message["method"].as_str().unwrap_or_default().to_owned();
        let mut params = message["params"].take();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match method.as_str() {
            "Fetch.requestPaused" => self.paused(cdp, params),
            "Fetch.authRequired" => self.auth(cdp, &params),
            "Page.frameNavigated" => {
                let frame = &params["frame"];
                self.moving.remove(frame["id"].as_str().unwrap_or_default());
                if frame["id"] == self.frame.as_str() {
                    self.visits += 1;
                    self.unreachable = frame["unreachableUrl"].as_str().map(str::to_owned);
                }
            }
            "Page.frameStoppedLoading" => {
                self.moving.remove(params["frameId"].as_str().unwrap_or_default());
            }
            "Page.javascriptDialogOpening" => {
                self.dialog = true;
                self.log.page_says(&text(&params["message"]));
            }
            "Page.javascriptDialogClosed" => self.dialog = false,
            "Security.visibleSecurityStateChanged" => {
                let state = params["visibleSecurityState"]["certificateSecurityState"].take();
                let leaf = state["certificate"][0].as_str().unwrap_or_default();
                self.certificate =
                    BASE64.decode(leaf.as_bytes()).ok().filter(|der| !der.is_empty());
            }
            "Target.targetDestroyed" | "Target.targetCrashed" => {
                self.closed |= params["targetId"] == self.target.as_str();
                message["params"] = params;
                return Some(message);
            }
            "Target.targetCreated" => {
                message["params"] = params;
                return Some(message);
            }
            _ => {}
        }
        None
    }

    /// A request that waits for a word: it goes on, but for a document while a field
    /// is being filled.
    fn paused(&mut self, cdp: &mut Cdp, mut params: Value) {
        let id = params["requestId"].take();
        if params["resourceType"] == "Document" {
            if let Some(held) = &mut self.held {
                held.push(id);
                return;
            }
            self.moving.insert(params["frameId"].as_str().unwrap_or_default().to_owned());
        }
        self.send(cdp, "Fetch.continueRequest", json!({ "requestId": id }));
    }

    /// HTTP asks for a login: answered once, and only to the entry's own origin.
    fn auth(&mut self, cdp: &mut Cdp, params: &Value) {
        let challenge = &params["authChallenge"];
        let ours = challenge["source"] == "Server" && challenge["origin"] == self.origin.as_str();
        let stored = self.hop.slots.contains(&Slot::Password);
        let mut answer = json!({ "response": "Default" });
        if ours && !self.sure && stored {
            self.put_off = true;
            answer = json!({ "response": "CancelAuth" });
        } else if ours && self.http == Asked::No && stored && !self.hop.user.is_empty() {
            match self.password() {
                Some(secret) => {
                    let scheme = challenge["scheme"].as_str().unwrap_or_default();
                    self.log.filled_http(scheme, &self.hop.user);
                    self.http = Asked::Answered;
                    let user = &self.hop.user;
                    answer = secret.expose(|bytes| {
                        let password = String::from_utf8_lossy(bytes);
                        json!({ "response": "ProvideCredentials", "username": user, "password": password })
                    });
                }
                None => self.http = Asked::Left,
            }
        } else if ours {
            self.http = Asked::Left;
        } else {
            let origin = challenge["origin"].as_str().unwrap_or_default();
            self.stranger.get_or_insert_with(|| origin.to_owned());
        }
        let id = &params["requestId"];
        let answer = json!({ "requestId": id, "authChallengeResponse": answer });
        self.send(cdp, "Fetch.continueWithAuth", answer);
    }

    /// The entry's password; it is given once.
    pub fn password(&self) -> Option<SecretBytes> {
        self.up.secret(self.index, &Slot::Password)
    }

    /// Checks the certificate that is shown against the pinned ones, or asks.
    ///
    /// # Errors
    /// It is another one, or the person does not accept it.
    pub fn trust(&mut self, der: &[u8]) -> Result<(), Failure> {
        self.key = trust::check(der, self.hop, self.up)?;
        self.sure = true;
        Ok(())
    }

    /// What is on the page, with the keyboard put into a part of it if one is named.
    ///
    /// # Errors
    /// There is no answer now.
    pub fn look(&mut self, cdp: &mut Cdp, act: Option<&str>) -> Result<Sight, Silence> {
        let world = json!({ "frameId": self.frame, "worldName": "poterne" });
        let world = self.call(cdp, "Page.createIsolatedWorld", world)?;
        let ask = self.wanted(act);
        let run = json!({
            "expression": format!("{FIND}({ask})"),
            "contextId": world["executionContextId"],
            "returnByValue": true,
        });
        let said = self.call(cdp, "Runtime.evaluate", run)?;
        let said = said["result"]["value"].as_str().unwrap_or_default();
        serde_json::from_str(said).map_err(|_| Silence::Busy)
    }

    /// The selectors, those of the entry before those of its preset.
    fn wanted(&self, act: Option<&str>) -> Value {
        let setting = |id: &str| self.hop.settings.get(id).map_or("", |value| value.trim());
        let preset = presets::of(setting("preset"));
        let of = |id: &str, part: fn(&presets::Preset) -> &[String]| {
            let own = Some(setting(id)).filter(|own| !own.is_empty());
            let usual = preset.map(part).unwrap_or_default();
            own.into_iter().chain(usual.iter().map(String::as_str)).collect::<Vec<_>>()
        };
        json!({
            "act": act,
            "user": of("user-selector", |p| &p.user),
            "password": of("password-selector", |p| &p.password),
            "code": of("totp-selector", |p| &p.code),
            "submit": of("submit-selector", |p| &p.submit),
        })
    }

    /// Whether the page could be replaced at any moment.
    pub fn moves(&self) -> bool {
        !self.moving.is_empty()
    }

    /// Puts a text into a part of the page as a keyboard would; false when the part,
    /// or the page, is not there for it.
    ///
    /// # Errors
    /// There is no answer.
    pub fn fill(&mut self, cdp: &mut Cdp, part: &str, text: &str) -> Result<bool, Silence> {
        self.held = Some(Vec::new());
        let done = self.fill_held(cdp, part, text);
        for id in self.held.take().unwrap_or_default() {
            self.send(cdp, "Fetch.continueRequest", json!({ "requestId": id }));
        }
        done
    }

    fn fill_held(&mut self, cdp: &mut Cdp, part: &str, text: &str) -> Result<bool, Silence> {
        let sight = self.look(cdp, Some(part))?;
        if sight.origin != self.origin || !self.sure || !sight.focused || self.moves() {
            return Ok(false);
        }
        if part == "code" {
            // One by one: such fields are often six, each for one sign.
            for sign in text.chars() {
                self.key(cdp, &sign.to_string(), u32::from(sign), &sign.to_string())?;
            }
            return Ok(true);
        }
        self.call(cdp, "Input.insertText", json!({ "text": text }))?;
        // Some pages look at a field only when a key goes up.
        self.key(cdp, "End", 35, "")?;
        Ok(true)
    }

    fn key(&mut self, cdp: &mut Cdp, key: &str, code: u32, text: &str) -> Result<(), Silence> {
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [down, "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" {
                event["text"] = text.into();
            }
            self.call(cdp, "Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    /// Presses Enter in a part of the page.
    ///
    /// # Errors
    /// There is no answer.
    pub fn enter(&mut self, cdp: &mut Cdp, part: &str) -> Result<(), Silence> {
        // What a code's fields did with the last sign is theirs to know.
        if part != "code" {
            self.look(cdp, Some(part))?;
        }
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13,
            });
            if kind == "keyDown" {
                event["text"] = "\r".into();
            }
            // Not waited for: the page may be replaced before it answers.
            self.send(cdp, "Input.dispatchKeyEvent", event);
        }
        Ok(())
    }

    /// Clicks the button; false when there is none that can be.
    ///
    /// # Errors
    /// There is no answer.
    pub fn click(&mut self, cdp: &mut Cdp) -> Result<bool, Silence> {
        let sight = self.look(cdp, Some("submit"))?;
        if !sight.submit {
            return Ok(false);
        }
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": sight.x, "y": sight.y, "button": "left", "clickCount": 1,
            });
            self.send(cdp, "Input.dispatchMouseEvent", event);
        }
        Ok(true)
    }
}
