//! Finding by a few letters: the packed index and its ranking, without a vault.

use poterne::model::entry::{Kind, Summary};
use poterne::model::id::EntryId;
use poterne::vault::index::segment::Segment;
use poterne::vault::index::{ClientIndex, Index, search};

fn node(n: u8, client: u8, parent: Option<u8>, kind: &str, name: &str) -> Summary {
    Summary {
        id: EntryId([n; 16]),
        client: EntryId([client; 16]),
        parent: parent.map(|p| EntryId([p; 16])),
        kind: Kind::new(kind),
        name: name.into(),
        host: format!("{}.example", name.to_lowercase()),
        user: "root".into(),
        tags: "linux prod".into(),
        favourite: false,
        trashed: false,
        colour: String::new(),
        ver: 1,
    }
}

fn index() -> Index {
    let mut index = Index::default();
    let dupont = vec![
        node(1, 1, None, "client", "Dupont"),
        node(2, 1, Some(1), "folder", "Serveurs"),
        node(3, 1, Some(2), "ssh", "Élodie"),
        node(4, 1, Some(2), "ssh", "Bastion"),
    ];
    let martin = vec![node(9, 9, None, "client", "Martin"), node(10, 9, Some(9), "ssh", "Bastion")];
    index.put(ClientIndex::new(EntryId([1; 16]), Segment::pack(dupont)));
    index.put(ClientIndex::new(EntryId([9; 16]), Segment::pack(martin)));
    index
}

fn paths(index: &Index, query: &str) -> Vec<String> {
    search::find(index, query, 10).iter().map(|s| index.path(s)).collect()
}

#[test]
fn three_letters_of_the_client_bring_its_servers_before_its_folders() {
    let found = paths(&index(), "dup");
    assert_eq!(found[0], "Dupont");
    assert!(found.contains(&"Dupont/Serveurs/Bastion".to_owned()), "{found:?}");
    assert!(!found.iter().any(|p| p.starts_with("Martin")), "{found:?}");
}

#[test]
fn words_may_name_client_folder_and_entry_in_any_order_without_accents() {
    assert_eq!(paths(&index(), "bast mart")[0], "Martin/Bastion");
    assert_eq!(paths(&index(), "elodie")[0], "Dupont/Serveurs/Élodie");
    assert_eq!(paths(&index(), "SERVEURS élo")[0], "Dupont/Serveurs/Élodie");
}

#[test]
fn letters_in_the_right_order_are_found_when_nothing_holds_them_as_typed() {
    let found = paths(&index(), "bstn");
    assert!(found[0].ends_with("Bastion"), "{found:?}");
}

#[test]
fn what_changed_since_packing_is_found_and_what_was_removed_is_not() {
    let mut index = index();
    let client = index.client_mut(&EntryId([1; 16])).expect("is there");
    client.apply(EntryId([4; 16]), None);
    client.apply(EntryId([5; 16]), Some(node(5, 1, Some(2), "ssh", "Nouveau")));
    assert_eq!(paths(&index, "nouv"), ["Dupont/Serveurs/Nouveau"]);
    assert_eq!(paths(&index, "bastion"), ["Martin/Bastion"]);
    let at = index.at_path("dupont/serveurs/nouveau").expect("found by path");
    assert_eq!(at.id, EntryId([5; 16]));
}

#[test]
fn the_kind_is_a_word_to_search_by_and_counts_least() {
    let mut index = index();
    let martin = index.client_mut(&EntryId([9; 16])).expect("is there");
    martin.apply(EntryId([11; 16]), Some(node(11, 9, Some(9), "note", "ssh mode d'emploi")));
    let found = paths(&index, "ssh");
    assert_eq!(found[0], "Martin/ssh mode d'emploi", "what is named so comes first");
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(paths(&index, "ssh dupont").len(), 2, "no folder, no client");
    assert_eq!(paths(&index, "notes martin"), ["Martin/ssh mode d'emploi"]);
    // A client is one, what is below it is not.
    assert_eq!(paths(&index, "client"), ["Dupont", "Martin"]);
}

#[test]
fn a_segment_with_any_changed_byte_is_refused_or_still_well_formed() {
    let packed = Segment::pack(vec![
        node(1, 1, None, "client", "Dupont"),
        node(2, 1, Some(1), "ssh", "Élodie"),
    ]);
    for at in 0..packed.bytes().len() {
        for bit in [1, 0x80] {
            let mut bytes = packed.bytes().to_vec();
            bytes[at] ^= bit;
            if let Ok(segment) = Segment::parse(bytes) {
                for n in 0..segment.len() {
                    let _ = segment.summary(n, EntryId([1; 16]));
                }
            }
        }
    }
}
