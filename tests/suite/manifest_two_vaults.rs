//! Two vaults that are open in one process and share the same kind, each in its own
//! way: for the entries of each counts its own, an approval for the one is none for the
//! other, and a vault that shares nothing knows neither.

use std::sync::{Arc, Mutex};

use poterne::app::api::{At, Code, Justification, Patch, Reply, Request};
use poterne::app::{App, ConnectRequest, SessionUi};
use poterne::connect::manifest::approval::Approval;
use poterne::connect::manifest::registry;
use poterne::connect::{Answer, Progress, Question};
use poterne::model::entry::Kind;

use crate::kit::Desk;

fn manifest(field: &str) -> String {
    format!(
        "kind = \"two-vaults\"\nname = \"Two\"\nopens = \"terminal\"\n\
         args = [\"{{{field}}}\"]\n[program]\nlinux = [\"no-such-program\"]\n\
         [[field]]\nid = \"{field}\"\nlabel = \"Field\"\n"
    )
}

fn open() -> Desk {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk
}

fn sharing(field: &str) -> Desk {
    let desk = open();
    desk.call(Request::Share { text: manifest(field) });
    desk
}

fn create(desk: &Desk, field: &str) -> Result<Reply, Code> {
    let mut patch = Patch::default();
    patch.settings.insert(field.to_owned(), "x".to_owned());
    let path = format!("Dupont/{field}");
    let (kind, patch) = (Kind::new("two-vaults"), Box::new(patch));
    desk.app.call(Request::Create { kind, path, patch }).map_err(|e| e.code)
}

/// Keeps what it is asked, and answers so.
struct Person(Arc<Mutex<Vec<Approval>>>, bool);

impl SessionUi for Person {
    fn ask(&mut self, question: Question) -> Answer {
        let Question::Approve(asked) = question else { panic!("nothing else is asked") };
        self.0.lock().expect("one thread").push(*asked);
        if self.1 { Answer::Yes } else { Answer::No }
    }
    fn say(&mut self, _: Progress) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Opens the entry; the manifests that were shown to be approved.
fn asked(app: &App, path: &str, approves: bool) -> Vec<String> {
    let all = Arc::default();
    let request = ConnectRequest {
        at: At::Path(path.to_owned()),
        just: Justification::default(),
        accept_host_key: None,
        reuse: false,
        desktop: Vec::new(),
        after: None,
    };
    // There is no such program: what is approved starts nothing.
    let refused = app.connect(request, &mut Person(Arc::clone(&all), approves)).err();
    assert_eq!(refused.expect("nothing starts").code, Code::Connection);
    let all = all.lock().expect("one thread");
    all.iter().map(|asked| asked.text.clone()).collect()
}

#[test]
fn each_vault_has_its_own_manifest_of_a_kind_and_its_own_approval() {
    let (first, second, none) = (sharing("colour-of-it"), sharing("size-of-it"), open());
    for (desk, own, other) in
        [(&first, "colour-of-it", "size-of-it"), (&second, "size-of-it", "colour-of-it")]
    {
        create(desk, own).expect("its own field");
        assert_eq!(create(desk, other).err(), Some(Code::Usage), "{other} is the other's");
    }
    assert_eq!(create(&none, "colour-of-it").err(), Some(Code::Usage), "it shares none");
    // Nobody is told of a fault where there is none.
    let problems = registry::look().problems;
    assert!(problems.iter().all(|p| p.faults.iter().all(|f| !f.what.en.contains("two-vaults"))));

    assert_eq!(asked(&first.app, "Dupont/colour-of-it", true), [manifest("colour-of-it")]);
    assert_eq!(asked(&second.app, "Dupont/size-of-it", false), [manifest("size-of-it")]);
    assert_eq!(asked(&first.app, "Dupont/colour-of-it", false), [""; 0], "approved before");
    assert_eq!(asked(&second.app, "Dupont/size-of-it", false), [manifest("size-of-it")]);
    // What the one takes back the other keeps.
    first.call(Request::Unshare { kind: "two-vaults".into() });
    assert_eq!(create(&first, "size-of-it").err(), Some(Code::Usage));
    assert_eq!(asked(&second.app, "Dupont/size-of-it", false), [manifest("size-of-it")]);
}
