//! Power cuts in stories that nobody wrote: any sequence of edits, moves, deletions,
//! restores and member changes is taped, and the disk as it may be found after
//! some of the writes opens as exactly the last committed state.

use std::collections::BTreeSet;

use poterne::app::api::Request;
use poterne::store::sqlite::SqliteStore;
use proptest::prelude::*;

use crate::crash::{self, CHILD, Disk, Files, VAULT, apply, in_child, is_commit, lay_out};
use crate::kill::seeded;
use crate::kit::{cases, in_memory};
use crate::kit_rows::{open_by_kit, read_all};
use crate::properties::{Act, Story};

/// Stories that are taped.
const CASES: u32 = 6;
/// Places in each where the power is cut.
const CUTS: usize = 60;

#[test]
fn a_power_cut_in_any_story_leaves_the_last_committed_vault() {
    in_child("crash_random::power_is_cut_in_any_story");
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 30, ..cases(CASES) })]

    #[test]
    #[ignore = "part of the test above, which starts it as a child"]
    fn power_is_cut_in_any_story(
        acts in prop::collection::vec(any::<Act>(), 8..24),
        mut seed in any::<u64>(),
    ) {
        if std::env::var_os(CHILD).is_some() {
            cut(&acts, &mut seed);
        }
    }
}

/// Plays the story and cuts it.
fn cut(story: &[Act], seed: &mut u64) {
    let mut told = Story::closed();
    let file = told.desk().file.clone();
    crash::tape_from(&file);
    let base: Files = [Some(std::fs::read(&file).expect("reads")), None];
    told.begin();
    for act in story {
        told.act(*act);
    }
    told.desk().call(Request::Lock);
    let acts = crash::untape();
    let kit = told.desk().kit.clone();

    let images = in_memory();
    let state = |files: &Files| {
        let vault = lay_out(images.path(), files);
        let (store, v) = open_by_kit(&vault, &kit).map_err(|e| format!("{e:?}"))?;
        let all = read_all(&store, &v).map_err(|e| format!("{e:?}"))?;
        store.integrity_check().map_err(|e| format!("{e:?}"))?;
        Ok::<_, String>(all)
    };
    let mut places = BTreeSet::new();
    while places.len() < CUTS.min(acts.len()) {
        places.insert(seeded(seed) as usize % (acts.len() + 1));
    }
    // What the present commit made of the vault, on a disk that loses nothing; it
    // is read when a cut disk is not the very same bytes.
    let (mut whole, mut committed) = (base.clone(), None);
    let mut bytes = whole[VAULT].clone();
    let mut disk = Disk::new(base);
    let (mut looked, mut read) = (0, 0);
    for place in 0..=acts.len() {
        let found = if places.contains(&place) { disk.found(seed) } else { Vec::new() };
        for files in found {
            let vault = lay_out(images.path(), &files);
            let opened = SqliteStore::open(&vault, false);
            drop(opened.unwrap_or_else(|e| panic!("cut before act {place}: {e}")));
            looked += 1;
            if std::fs::read(&vault).ok() == bytes {
                continue;
            }
            let cut = state(&files).unwrap_or_else(|e| panic!("cut before act {place}: {e}"));
            let meant = committed.get_or_insert_with(|| {
                state(&[bytes.clone(), None]).expect("a committed state opens")
            });
            assert!(cut == *meant, "cut before act {place}: not the last commit");
            read += 1;
        }
        let Some((file, act)) = acts.get(place) else { break };
        disk.done(*file, act);
        apply(&mut whole, *file, act);
        if is_commit(&acts[place]) {
            (bytes, committed) = (whole[VAULT].clone(), None);
        }
    }
    println!("\nlooked at {looked} disks of {} writes, read {read}", acts.len());
    assert!(looked > 0);
}
