//! Members, their rights over time, and the keys they hand each other.

use poterne::model::id::{CellId, EntryId, MemberId, VaultId};
use poterne::model::member::Role;
use poterne::model::time::Time;
use poterne::vault::cert::{
    Act, Card, Directory, Fault, PublicKeys, Statement, open_card, seal_card,
};
use poterne::vault::grant::{self, GrantError};
use poterne::vault::identity::Identity;

use super::seeded::{key, random};

const VAULT: VaultId = VaultId([1; 16]);
const CLIENT: EntryId = EntryId([8; 16]);

fn person(n: u8) -> (MemberId, Identity) {
    (MemberId([n; 16]), Identity::from_seeds(key(n), &key(n + 100)))
}

struct Firm {
    directory: Directory,
    cards: Vec<(MemberId, Card)>,
    clock: i64,
}

impl Firm {
    fn found(founder: &(MemberId, Identity)) -> Self {
        let (directory, card) =
            Directory::found(VAULT, founder.0, "Anne", &founder.1, Time::from_unix_seconds(1));
        Self { directory, cards: vec![(founder.0, card)], clock: 1 }
    }

    fn state(&mut self, by: &(MemberId, Identity), about: MemberId, act: Act) -> Result<(), Fault> {
        self.clock += 1;
        let at = Time::from_unix_seconds(self.clock);
        let statement = self.directory.state(by.0, by.1.signing(), about, act, at)?;
        match self.cards.iter_mut().find(|(id, _)| *id == about) {
            Some((_, card)) => card.statements.push(statement),
            None => self.cards.push((about, Card { statements: vec![statement] })),
        }
        Ok(())
    }

    fn join(&mut self, by: &(MemberId, Identity), who: &(MemberId, Identity), role: Role) {
        let provisional = Identity::from_seeds(key(200), &key(201));
        let name = format!("m{}", who.0.0[0]);
        let keys = PublicKeys::of(&provisional);
        self.state(by, who.0, Act::Add { name, role, all_clients: true, keys }).expect("may add");
        let keys = PublicKeys::of(&who.1);
        self.state(&(who.0, provisional), who.0, Act::Rekey { keys }).expect("may accept");
    }

    fn change(
        &mut self,
        by: &(MemberId, Identity),
        who: MemberId,
        role: Role,
    ) -> Result<(), Fault> {
        let name = self.directory.member(&who).expect("a member").name.clone();
        self.state(by, who, Act::Change { name, role, all_clients: true })
    }

    fn verify(&self) -> Result<Directory, Fault> {
        let root = &person(1).1.signing().public();
        Directory::verify(VAULT, root, self.cards.iter().map(|(id, card)| (id, card)), None)
    }

    fn statement(&mut self, n: usize) -> &mut Statement {
        let mut all = self.cards.iter_mut().flat_map(|(_, c)| &mut c.statements);
        all.find(|s| s.n == n as u64).expect("it is there")
    }
}

fn crowd() -> (Firm, [(MemberId, Identity); 3]) {
    let [anne, bob, carl] = [person(1), person(2), person(3)];
    let mut firm = Firm::found(&anne);
    firm.join(&anne, &bob, Role::Owner);
    firm.join(&bob, &carl, Role::Technician);
    (firm, [anne, bob, carl])
}

#[test]
fn a_replayed_history_gives_the_same_members() {
    let (firm, [_, bob, _]) = crowd();
    let replayed = firm.verify().expect("sound");
    assert_eq!(replayed, firm.directory);
    let bob = replayed.member(&bob.0).expect("a member");
    assert!(bob.accepted && bob.role == Role::Owner);
    assert_eq!(replayed.named(" M2 ").map(|m| m.id), Some(bob.id));
}

#[test]
fn what_a_removed_founder_did_stays_in_force() {
    let (mut firm, [anne, bob, carl]) = crowd();
    firm.state(&bob, anne.0, Act::Remove).expect("an owner may");
    let replayed = firm.verify().expect("sound");
    assert!(replayed.member(&anne.0).is_none());
    assert_eq!(replayed.member_ever(&anne.0).map(|m| m.name.as_str()), Some("Anne"));
    assert!(replayed.member(&bob.0).is_some() && replayed.member(&carl.0).is_some());
    assert_eq!(firm.state(&anne, carl.0, Act::Remove), Err(Fault::NoRight(6)));
}

#[test]
fn nobody_says_more_than_the_role_of_the_moment_allows() {
    let (mut firm, [anne, bob, carl]) = crowd();
    assert_eq!(firm.change(&carl, carl.0, Role::Owner), Err(Fault::NoRight(5)));
    assert_eq!(firm.state(&carl, bob.0, Act::Remove), Err(Fault::NoRight(5)));
    firm.change(&anne, carl.0, Role::Admin).expect("may");
    assert_eq!(firm.change(&carl, carl.0, Role::Owner), Err(Fault::NoRight(6)));
    assert_eq!(firm.state(&carl, anne.0, Act::Remove), Err(Fault::NoRight(6)));
    firm.change(&anne, bob.0, Role::Technician).expect("may");
    assert_eq!(firm.change(&anne, anne.0, Role::Admin), Err(Fault::NoRight(7)), "an owner stays");
    let taken = Act::Add {
        name: "ANNE".to_owned(),
        role: Role::Operator,
        all_clients: false,
        keys: PublicKeys::of(&person(4).1),
    };
    assert_eq!(firm.state(&anne, person(4).0, taken), Err(Fault::NoRight(7)), "a name is unique");
    firm.verify().expect("refused statements left no trace");
}

#[test]
fn only_the_holder_of_the_old_keys_takes_new_ones() {
    let (mut firm, [anne, bob, _]) = crowd();
    let keys = PublicKeys::of(&person(9).1);
    let stolen = firm.state(&anne, bob.0, Act::Rekey { keys: keys.clone() });
    assert_eq!(stolen, Err(Fault::NoRight(5)));
    let forged = firm.state(&(bob.0, person(9).1), bob.0, Act::Rekey { keys });
    assert_eq!(forged, Err(Fault::Signature(5)));
}

#[test]
fn a_history_that_was_touched_is_refused() {
    let touched = |touch: &dyn Fn(&mut Firm)| {
        let (mut firm, _) = crowd();
        touch(&mut firm);
        firm.verify().err()
    };
    assert_eq!(touched(&|f| f.statement(3).sig[0] ^= 1), Some(Fault::Signature(3)));
    assert_eq!(touched(&|f| f.statement(3).at.0 += 1), Some(Fault::Signature(3)));
    assert_eq!(touched(&|f| f.statement(3).n = 9), Some(Fault::Broken(4)));
    assert_eq!(touched(&|f| drop(f.cards.remove(1))), Some(Fault::Broken(3)));
    assert_eq!(touched(&|f| drop(f.cards.remove(0))), Some(Fault::Root));
    assert_eq!(touched(&|f| f.cards[2].0 = MemberId([7; 16])), Some(Fault::Broken(3)));
    assert_eq!(
        touched(&|f| {
            let anne = MemberId([1; 16]);
            f.statement(3).author = anne;
        }),
        Some(Fault::Signature(3))
    );
    let root = &person(2).1.signing().public();
    let (firm, _) = crowd();
    let cards = || firm.cards.iter().map(|(id, card)| (id, card));
    assert_eq!(Directory::verify(VAULT, root, cards(), None).err(), Some(Fault::Root));
}

#[test]
fn a_history_seen_before_must_begin_as_it_did() {
    let (mut firm, [anne, bob, carl]) = crowd();
    let root = &anne.1.signing().public();
    let seen = Some(firm.directory.seen());
    firm.change(&bob, carl.0, Role::Operator).expect("may");
    let cards = || firm.cards.iter().map(|(id, card)| (id, card));
    assert!(Directory::verify(VAULT, root, cards(), seen).is_ok());
    let (mut other, _) = crowd();
    other.statement(4).sig[5] ^= 1;
    let cards = || other.cards.iter().map(|(id, card)| (id, card));
    assert_eq!(Directory::verify(VAULT, root, cards(), seen).err(), Some(Fault::Forked));
    let short = Firm::found(&anne);
    let cards = || short.cards.iter().map(|(id, card)| (id, card));
    assert_eq!(Directory::verify(VAULT, root, cards(), seen).err(), Some(Fault::Forked));
}

#[test]
fn a_card_opens_for_its_member_and_generation_only() {
    let (firm, [_, bob, _]) = crowd();
    let card = &firm.cards[1].1;
    let sealed = seal_card(&key(5), 3, &VAULT, &bob.0, card, &[0; 24]);
    assert_eq!(open_card(&key(5), &VAULT, &bob.0, &sealed).as_ref(), Ok(card));
    assert!(open_card(&key(5), &VAULT, &MemberId([3; 16]), &sealed).is_err());
    assert!(open_card(&key(6), &VAULT, &bob.0, &sealed).is_err());
    let mut other = sealed;
    other[3] ^= 1;
    assert!(open_card(&key(5), &VAULT, &bob.0, &other).is_err());
}

#[test]
fn a_granted_key_opens_for_its_member_and_only_from_who_may_grant() {
    let (mut firm, [anne, bob, carl]) = crowd();
    let to = firm.directory.member(&carl.0).expect("a member").clone();
    let give = |by: &(MemberId, Identity)| {
        let id = CellId([6; 16]);
        let by = (by.0, &by.1);
        grant::seal(&VAULT, id, &to, CLIENT, 4, &key(77), by, &mut random("grant"))
            .expect("a sound public key")
    };
    let row = give(&bob);
    let take = |firm: &Firm, row: &_| grant::open(&VAULT, row, carl.0, &carl.1, &firm.directory);
    assert!(take(&firm, &row).expect("opens").expose(|k| *k == [77; 32]));

    let fault = |firm: &Firm, row: &_| take(firm, row).err();
    assert!(take(&firm, &give(&carl)).is_ok(), "to oneself");
    let mut moved = row.clone();
    moved.subject = EntryId([9; 16]);
    assert_eq!(fault(&firm, &moved), Some(GrantError::Altered));
    let mut claimed = row.clone();
    claimed.grantor = anne.0;
    assert_eq!(fault(&firm, &claimed), Some(GrantError::Altered));
    let other = grant::open(&VAULT, &row, bob.0, &bob.1, &firm.directory).err();
    assert_eq!(other, Some(GrantError::NotMine));
    firm.change(&anne, bob.0, Role::Technician).expect("may");
    assert_eq!(fault(&firm, &row), Some(GrantError::NoRight(bob.0)));
    assert_eq!(fault(&firm, &give(&person(5))), Some(GrantError::NoRight(MemberId([5; 16]))));
}
