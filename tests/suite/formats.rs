//! The bytes of format 1, checked in: `data/format/v1.txt` holds one line a
//! value, `name = hexadecimal`. A change here is a change of the format: old
//! files would no longer open. On a difference the present bytes are written to
//! the build folder for comparison; they are never taken over by themselves.

use data_encoding::HEXLOWER as HEX;
use poterne::audit::{Draft, packed, seal};
use poterne::crypto::context::context;
use poterne::crypto::kem::KemSecret;
use poterne::crypto::line::LineCipher;
use poterne::crypto::{aead, keys};
use poterne::model::audit_event::Event;
use poterne::model::id::{CellId, DeviceId, EntryId, MemberId, SessionId, SlotId, VaultId};
use poterne::model::member::Role;
use poterne::model::time::Time;
use poterne::secret::{SecretBytes, SecretText};
use poterne::vault::cert::{Act, Directory, PublicKeys, seal_card};
use poterne::vault::identity::{Identity, KeyRing, open_private, seal_private};
use poterne::vault::listing::{Doubt, Listing, Shared};
use poterne::vault::rows::HeaderRow;
use poterne::vault::slot::{Kind, LoginParams, Params, tag};
use poterne::vault::state::{self, State, header_mark};
use poterne::vault::waiting::{LateKey, LateLine, RefusedUnlock};
use poterne::vault::{code, grant, login};

use super::seeded::{COST, key, random, stretch};

const VAULT: VaultId = VaultId([0x11; 16]);
const SLOT: SlotId = SlotId([0x22; 16]);
const ME: MemberId = MemberId([0x33; 16]);
const COMPUTER: DeviceId = DeviceId([0x44; 16]);
const CLIENT: EntryId = EntryId([0x55; 16]);

struct Lines(String);

impl Lines {
    fn put(&mut self, name: &str, bytes: &[u8]) {
        self.0.push_str(&format!("{name} = {}\n", HEX.encode(bytes)));
    }
}

fn params(device: Option<DeviceId>) -> Vec<u8> {
    let login = Some(LoginParams { cost: COST, window_days: 365, device });
    Params { kind: Kind::Login, salt: [0x66; 32], login }.print()
}

/// A manifest that is not signed yet.
fn of_redis(at: Time) -> Shared {
    let (kind, cell) = ("redis".to_owned(), CellId([0x89; 16]));
    Shared { kind, cell, digest: [0x8A; 32], by: ME, at, sig: None }
}

fn present() -> String {
    let mut out = Lines(String::new());
    out.put("context", &context("domain", &[b"one", b"", b"three"]));
    keys::sub(&key(1), "name", 7).expose(|k| out.put("sub", k));
    keys::ratchet(&key(1)).expose(|k| out.put("ratchet", k));
    out.put("seal", &aead::seal(&key(1), b"context", &[2; 24], b"plaintext"));
    out.put("seal_padded", &aead::seal_padded(&key(1), b"context", &[2; 24], b"plaintext"));
    out.put("line", &LineCipher::new(&key(1)).seal(258, b"aad", b"plaintext"));

    out.put("params_login", &params(Some(COMPUTER)));
    out.put("params_portable", &params(None));
    let recovery = Params { kind: Kind::Recovery, salt: [0x66; 32], login: None }.print();
    out.put("params_recovery", &recovery);
    let factors = keys::Factors { stretched: &[3; 32], device: &[4; 32], ..Default::default() };
    keys::kek(&VAULT.0, &SLOT.0, factors, &params(Some(COMPUTER))).expose(|k| out.put("kek", k));
    let factors = keys::Factors { stretched: &[5; 20], ..Default::default() };
    keys::kek(&VAULT.0, &SLOT.0, factors, &recovery).expose(|k| out.put("kek_recovery", k));
    let first = [b"\0\0\0\x05caf\xC3\xA9", &[0, 0, 0, 4, 0, 1, 0xE2, 0x40][..]].concat();
    stretch(&first, &[0x66; 32], COST)
        .expect("within bounds")
        .expose(|k| out.put("argon2id_64_mib_t3_p4", k));
    out.put("tag", &tag(&VAULT, "Zoé Martin").to_be_bytes());

    let secret = SecretBytes::copy_of(b"12345678901234567890");
    let new = login::New {
        vault: VAULT,
        slot: SLOT,
        member: ME,
        name: "Zoé Martin",
        password: &SecretText::copy_of("café"),
        secret: &secret,
        device: Some((COMPUTER, &key(9))),
        cost: COST,
        window_days: 30,
        member_key: &key(7),
        used_step: 58_800_000,
    };
    let rows = login::create(&new, &mut random("login"), &mut stretch).expect("makes");
    out.put("login_params", &rows.slot.params);
    out.put("login_wrap", &rows.slot.wrap);
    out.put("otp_head", &rows.head.ct);
    let day = &rows.days[0];
    out.put("otp_first_day_number", &day.day.to_be_bytes());
    out.put("otp_first_day_sha256", &<sha2::Sha256 as sha2::Digest>::digest(&day.ct));

    let kit = code::draw(&mut random("kit"));
    kit.expose(|k| out.put("kit", k));
    code::print(Kind::Recovery, &kit).expose(|t| out.put("kit_as_text", t.as_bytes()));
    let (row, side) =
        code::create(&VAULT, SLOT, Kind::Recovery, ME, &kit, &key(7), &mut random("kit slot"));
    out.put("kit_params", &row.params);
    out.put("kit_wrap", &row.wrap);
    side.expose(|k| out.put("kit_side_key", k));

    let me = Identity::from_seeds(key(0x0A), &key(0x0B));
    out.put("ed25519_public", &me.signing().public());
    out.put("x_wing_public", me.kem().public());
    let mut ring = KeyRing::default();
    ring.put_vault_key(1, key(0x0C));
    ring.set_audit_key(Some((3, key(0x0D))));
    ring.seen = Some((1, [0x0E; 32]));
    ring.put_client_key(CLIENT, 2, key(0x0F));
    out.put("private", &seal_private(&key(7), &VAULT, &ME, &me, &ring, &[1; 24]));

    let at = Time(1_764_000_000_000_000);
    let (mut directory, mut card) = Directory::found(VAULT, ME, "Zoé Martin", &me, at);
    let add = Act::Add {
        name: "Paul".to_owned(),
        role: Role::Auditor,
        all_clients: false,
        keys: PublicKeys::of(&Identity::from_seeds(key(0x1A), &key(0x1B))),
    };
    let paul = MemberId([0x77; 16]);
    directory.state(ME, me.signing(), paul, add, at).expect("may");
    let change = Act::Change { name: "Zoé".to_owned(), role: Role::Owner, all_clients: true };
    card.statements.push(directory.state(ME, me.signing(), ME, change, at).expect("may"));
    out.put("membership_head", &directory.seen().1);
    out.put("card", &seal_card(&key(0x0C), 1, &VAULT, &ME, &card, &[3; 24]));

    let mut shared = of_redis(at);
    shared.sign(&VAULT, me.signing());
    let mut listing = Listing { seal: None, all: vec![shared] };
    listing.sign(&VAULT, me.signing(), 2, ME, at);
    assert_eq!(listing.judge(&VAULT, &directory, 2), Ok(()));
    assert_eq!(listing.doubt(&listing.all[0], &VAULT, &directory, 2), None);
    out.put("shared_signature", listing.all[0].sig.expect("signed").as_flattened());
    out.put("shared_list_signature", listing.seal.as_ref().expect("signed").sig.as_flattened());
    out.put("shared_list", &postcard::to_stdvec(&listing).expect("plain data"));

    let to = directory.member(&ME).expect("a member");
    let id = CellId([0x88; 16]);
    let row = grant::seal(&VAULT, id, to, CLIENT, 2, &key(0x0F), (ME, &me), &mut random("grant"))
        .expect("a sound public key");
    out.put("grant_enc_ct", &row.enc_ct);
    out.put("grant_sig", &row.sig);

    let audit = KemSecret::from_seed(&key(0x0D));
    let pending = KemSecret::from_seed(&key(0x1C));
    let header = HeaderRow {
        vault: VAULT,
        root_pk: me.signing().public(),
        audit_pk: audit.public().to_vec(),
        pending_pk: pending.public().to_vec(),
    };
    out.put("header_mark", &header_mark(&header));
    let refused = RefusedUnlock::new(at, "zoé", "pc-zoé");
    let sealed = refused.seal(&header, &mut random("refused")).expect("a sound public key");
    assert_eq!(RefusedUnlock::open(&pending, &VAULT, &sealed), Some(refused));
    out.put("refused_unlock", &sealed);
    let mut late = LateKey::of(&key(0x0C), 1, SessionId([0x99; 16]));
    for event in [Event::SessionOpened, Event::SessionClosed] {
        let fields = vec![("member".to_owned(), "Zoé".to_owned())];
        let line = LateLine { at, event, ok: true, fields };
        out.put("late_line", &late.seal(&VAULT, line, &[4; 24]));
    }
    let draft = Draft {
        at,
        actor: Some(ME),
        event: Event::SecretRevealed,
        ok: true,
        fields: vec![("member", "Zoé".to_owned()), ("slot", "password".to_owned())],
        fact: None,
    };
    let line = seal(&draft, 258, &[0x77; 32], &mut |salts| salts.fill(8));
    out.put("audit_line", &line.leaf);
    out.put("audit_opening", &line.opening);
    out.put("audit_packed", &packed::pack(&line.leaf, 258));
    out.0
}

#[test]
fn the_bytes_of_format_1_are_those_checked_in() {
    let present = present();
    let kept = include_str!("../data/format/v1.txt");
    if present != kept {
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("format-v1.txt");
        std::fs::write(&file, &present).expect("the build folder can be written");
        let differs = present.lines().zip(kept.lines()).find(|(a, b)| a != b);
        let name = differs.and_then(|(a, _)| a.split(' ').next()).unwrap_or("the end");
        panic!("format 1 changed at {name}: compare with {}", file.display());
    }
}

#[test]
fn a_private_row_of_format_1_still_opens() {
    let kept = include_str!("../data/format/v1.txt");
    let hex = kept.lines().find_map(|l| l.strip_prefix("private = ")).expect("it is there");
    let sealed = HEX.decode(hex.as_bytes()).expect("hexadecimal");
    let (me, ring) = open_private(&key(7), &VAULT, &ME, &sealed).expect("opens");
    assert_eq!(me.signing().public(), Identity::from_seeds(key(0x0A), &key(1)).signing().public());
    assert_eq!(ring.client_key(&CLIENT).map(|(generation, _)| generation), Some(2));
}

/// A list whose manifests nobody signed, as it stood behind the state in vaults of
/// earlier builds: it opens, and none of it is used.
#[test]
fn a_list_from_before_signatures_opens_and_is_not_used() {
    let at = Time(1_764_000_000_000_000);
    let Shared { kind, cell, digest, by, at: then, .. } = of_redis(at);
    let state = State { format: poterne::vault::rows::FORMAT, ..State::new() };
    let mut plain = postcard::to_stdvec(&state).expect("plain data");
    plain.extend(postcard::to_stdvec(&vec![(kind, cell, digest, by, then)]).expect("plain data"));
    let generation = 1_u32.to_be_bytes();
    let seal = |plain: &[u8]| {
        let ctx = context("state", &[&VAULT.0, &generation]);
        let under = keys::sub(&key(0x0C), "state", 1);
        [&generation[..], &aead::seal_padded(&under, &ctx, &[5; 24], plain)].concat()
    };
    let opened = state::open(&VAULT, &key(0x0C), &seal(&plain)).expect("opens");
    assert_eq!(opened.shared, Listing { seal: None, all: vec![of_redis(at)] });
    let me = Identity::from_seeds(key(0x0A), &key(0x0B));
    let (directory, _) = Directory::found(VAULT, ME, "Zoé Martin", &me, at);
    let doubt = opened.shared.doubt(&opened.shared.all[0], &VAULT, &directory, 0);
    assert_eq!(doubt, Some(Doubt::Unsigned));
    // Written again it says the same, and nothing may stand behind it.
    let again = state::seal(&VAULT, &key(0x0C), &opened, &[6; 24]);
    assert_eq!(state::open(&VAULT, &key(0x0C), &again).expect("opens"), opened);
    plain.push(0);
    state::open(&VAULT, &key(0x0C), &seal(&plain)).expect_err("a byte too many");
}
