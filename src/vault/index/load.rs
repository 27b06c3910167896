//! Opens the sealed indexes of many clients: one thread takes the rows out of the
//! store, another opens them. It decides nothing: what fails is handed back.

use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use crate::crypto::aead::OpenError;
use crate::model::id::{EntryId, VaultId};
use crate::secret::burn_stack;
use crate::vault::cell;
use crate::vault::identity::KeyRing;
use crate::vault::rows::{DeltaRow, Rows, SegmentRow, StoreError};
use crate::vault::state::MARK;
use crate::vault::unlocked::VaultError;

use super::ClientIndex;

/// Client, segment version, greatest delta number.
type Head = (EntryId, u64, u64);
/// One client and what became of opening its index.
type Loaded = (EntryId, Result<ClientIndex, VaultError>);

/// From so many clients on a second thread is worth its start.
const TWO_THREADS: usize = 16;
/// Clients read and not opened yet, at most.
const AHEAD: usize = 64;

/// The indexes of the clients in `heads`, in their order.
///
/// # Errors
/// The store fails. What does not open is told for each client.
pub fn clients(
    ring: &KeyRing,
    vault: &VaultId,
    rows: &dyn Rows,
    heads: &[Head],
) -> Result<Vec<Loaded>, VaultError> {
    let sealed = |head: &Head| -> Result<Sealed, StoreError> {
        let (client, ver, last_delta) = *head;
        let deltas = if last_delta == 0 { Vec::new() } else { rows.deltas(&client)? };
        Ok(Sealed { client, ver, last_delta, segment: rows.segment(&client)?, deltas })
    };
    let open = |sealed: Sealed| (sealed.client, sealed.open(ring, vault));
    let alone = || heads.iter().map(|head| Ok(open(sealed(head)?))).collect();
    if heads.len() < TWO_THREADS {
        return alone();
    }
    std::thread::scope(|scope| {
        let (read, to_open) = sync_channel::<Sealed>(AHEAD);
        let opener = Builder::new().name("index".to_owned()).spawn_scoped(scope, move || {
            let opened: Vec<Loaded> = to_open.into_iter().map(open).collect();
            // The memory of this stack outlives its thread.
            burn_stack();
            opened
        });
        let Ok(opener) = opener else { return alone() };
        let mut failed = None;
        for head in heads {
            match sealed(head) {
                Ok(sealed) => {
                    // An opener that is gone says itself why.
                    if read.send(sealed).is_err() {
                        break;
                    }
                }
                Err(e) => {
                    failed = Some(e);
                    break;
                }
            }
        }
        drop(read);
        let opened = opener.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        failed.map_or(Ok(opened), |e| Err(e.into()))
    })
}

/// The rows of one client's index.
struct Sealed {
    client: EntryId,
    ver: u64,
    last_delta: u64,
    segment: Option<SegmentRow>,
    deltas: Vec<DeltaRow>,
}

impl Sealed {
    fn open(self, ring: &KeyRing, vault: &VaultId) -> Result<ClientIndex, VaultError> {
        let client = self.client;
        let tampered = |_: OpenError| VaultError::Tampered(format!("the index of client {client}"));
        let row = self.segment.ok_or(VaultError::NotFound)?;
        let key = |generation| {
            ring.client_key_at(&client, generation)
                .ok_or_else(|| VaultError::Tampered(format!("the key of client {client}")))
        };
        let (generation, ver) = (row.generation, self.ver);
        let segment =
            cell::open_segment(key(generation)?, vault, &client, generation, ver, &row.ct)
                .map_err(tampered)?;
        let mut index = ClientIndex::new(client, segment);
        for delta in self.deltas {
            let generation = delta.generation;
            let (id, to) =
                cell::open_delta(key(generation)?, vault, &client, generation, delta.n, &delta.ct)
                    .map_err(tampered)?;
            index.apply(id, to);
        }
        index.stamp = (ver, self.last_delta);
        index.mark = row.ct[..row.ct.len().min(MARK)].to_vec();
        Ok(index)
    }
}
