//! The index of a client, and the paths and words that people type to find something.

use poterne::model::entry::{
    Attachment, ClientInfo, CredentialSource, CustomField, Entry, Kind, SecretRef, Slot, Summary,
    VersionRef,
};
use poterne::model::id::{CellId, EntryId};
use poterne::model::time::Time;
use poterne::vault::index::segment::Segment;
use poterne::vault::index::{ClientIndex, Index};

use super::{CLIENT, ME, MIB, fuzz, within};

pub(super) fn entry() -> Entry {
    let at = Time(1_764_000_000_000_000);
    let secret = |n| SecretRef { cell: CellId([n; 16]), set_at: at, set_by: ME };
    Entry {
        id: EntryId([1; 16]),
        client: CLIENT,
        parent: Some(CLIENT),
        kind: Kind::new("ssh"),
        name: "Été ⚙ serveur".into(),
        host: "srv.dupont.example".into(),
        port: Some(2222),
        user: "zoé".into(),
        tags: vec!["prod".into(), "linux".into()],
        favourite: true,
        description: "Première ligne\nseconde".into(),
        expires: Some(jiff::civil::date(2027, 2, 28)),
        settings: [("jump".to_owned(), "Dupont/Rebond".to_owned())].into(),
        credential: CredentialSource::Linked(EntryId([2; 16])),
        custom: vec![
            CustomField { name: "Baie".into(), secret: false, value: "4".into() },
            CustomField { name: "Code".into(), secret: true, value: String::new() },
        ],
        attachments: vec![Attachment { name: "plan.pdf".into(), size: 9, cell: CellId([9; 16]) }],
        secrets: [(Slot::Password, secret(4)), (Slot::Custom("Code".into()), secret(5))].into(),
        client_info: Some(ClientInfo { code: "DUP".into(), ..ClientInfo::default() }),
        ver: 3,
        created_at: at,
        created_by: ME,
        changed_at: at,
        changed_by: ME,
        trashed_at: None,
        snapshots: Vec::new(),
        history: vec![VersionRef { ver: 2, at, by: ME, cell: CellId([7; 16]) }],
    }
}

fn summaries() -> Vec<Summary> {
    let client = Summary {
        id: CLIENT,
        parent: None,
        kind: Kind::CLIENT,
        colour: "#336699".into(),
        ..entry().summary()
    };
    let many = (10..20).map(|n| Summary {
        id: EntryId([n; 16]),
        name: format!("Nœud {n}"),
        parent: Some(EntryId([n.saturating_sub(1).max(10); 16])),
        ..entry().summary()
    });
    [client, entry().summary()].into_iter().chain(many).collect()
}

#[test]
fn index_segments() {
    let valid = vec![
        Segment::pack(summaries()).bytes().to_vec(),
        Segment::pack(Vec::new()).bytes().to_vec(),
    ];
    fuzz(3000, valid, |bytes| {
        within(8 * MIB, || {
            let Ok(segment) = Segment::parse(bytes.to_vec()) else { return };
            assert_eq!(segment.bytes(), bytes);
            let client = ClientIndex::new(CLIENT, segment);
            let all = client.all();
            assert_eq!(all.len(), client.base().len());
            for n in 0..client.base().len() {
                let _ = client.base().name_may_fold_to(n, "été");
                let _ = (client.base().texts(n), client.base().fold_range(n));
            }
            // What was read packs and reads back as the same nodes, as far as a
            // segment can hold them (an unknown colour of a stranger aside).
            let again = Segment::pack(all.clone());
            let again = ClientIndex::new(CLIENT, again).all();
            assert_eq!(again.len(), all.len());
            let mut index = Index::default();
            index.put(client);
            let _ = index.at_path("Été ⚙ serveur/Nœud 10");
            for summary in &all {
                let _ = index.path(summary);
            }
        });
    });
}

#[test]
fn paths_and_words_of_the_command_line() {
    let mut index = Index::default();
    index.put(ClientIndex::new(CLIENT, Segment::pack(summaries())));
    let valid = [
        "Été ⚙ serveur/Nœud 10/Nœud 11",
        "//été ⚙ SERVEUR//",
        "a/b/../c",
        "custom:password",
        "ssh://h:22",
        "2026-11-24T02:00:00Z",
    ];
    fuzz(4000, valid.iter().map(|t| t.as_bytes().to_vec()).collect(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        within(4 * MIB, || {
            if let Some(found) = index.at_path(&text) {
                let path = index.path(&found);
                assert_eq!(index.at_path(&path).map(|f| f.id), Some(found.id), "{path}");
            }
            let slot: Slot = text.parse().expect("never fails");
            assert_eq!(slot.to_string().parse::<Slot>(), Ok(slot));
            if let Ok(time) = text.parse::<Time>() {
                assert_eq!(time.to_string().parse(), Ok(time));
            }
        });
    });
}
