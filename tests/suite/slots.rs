//! Ways in: what opens a login, what does not, and that a code opens it once.

use poterne::crypto::kdf::{BadCost, Cost, StretchError};
use poterne::crypto::totp::{code_at, step_of};
use poterne::model::id::{DeviceId, MemberId, SlotId, VaultId};
use poterne::model::time::Time;
use poterne::secret::{Key32, SecretBytes, SecretText};
use poterne::vault::code::{self, CodeError};
use poterne::vault::login::{
    self, BurnError, Burned, Days, Given, LoginRows, New, Opened, Refused,
};
use poterne::vault::otp::{OtpDayRow, day_of};
use poterne::vault::slot::{BadParams, Kind, LoginParams, Params, tag};

use super::seeded::{COST, key, pretend, random, stretch};

const VAULT: VaultId = VaultId([1; 16]);
const SLOT: SlotId = SlotId([2; 16]);
const ME: MemberId = MemberId([3; 16]);
const COMPUTER: DeviceId = DeviceId([4; 16]);
const SECRET: &[u8; 20] = b"12345678901234567890";
const DAY: i64 = 86_400;

/// Noon of a day, five seconds into a step.
const NOON: Time = Time(1_764_000_000_000_000 / 86_400_000_000 * 86_400_000_000 + 43_205_000_000);

struct Home {
    rows: LoginRows,
    device: Option<Key32>,
    runs: usize,
}

impl Home {
    fn new(portable: bool) -> Self {
        let device = (!portable).then(|| key(9));
        let rows = make("correct horse", SECRET, device.as_ref(), step_of(NOON) - 1);
        Self { rows, device, runs: 0 }
    }

    fn open_with(
        &mut self,
        password: &str,
        code: &str,
        device: Option<&Key32>,
        now: Time,
    ) -> Result<Opened, Refused> {
        self.runs = 0;
        let span = self.rows.days.first().zip(self.rows.days.last()).map(|(a, b)| (a.day, b.day));
        let (from, to) = login::days_near(now);
        let rows: Vec<OtpDayRow> =
            self.rows.days.iter().filter(|r| (from..=to).contains(&r.day)).cloned().collect();
        let given = Given {
            password: &SecretText::copy_of(password),
            code: &SecretText::copy_of(code),
            device,
        };
        let runs = &mut self.runs;
        let mut counted = |p: &[u8], s: &[u8; 32], c: Cost| {
            *runs += 1;
            pretend(p, s, c)
        };
        let days = Days { span, rows: &rows };
        login::open(&VAULT, &self.rows.slot, &days, &given, now, 0, &mut counted)
    }

    fn open(&mut self, code: &str, now: Time) -> Result<Opened, Refused> {
        let device = self.device.as_ref().map(Key32::duplicate);
        self.open_with("correct horse", code, device.as_ref(), now)
    }

    fn burn(&self, opened: &Opened, floor: u64) -> Result<Burned, BurnError> {
        let rows = &self.rows;
        login::burn(
            &VAULT,
            &rows.slot,
            &rows.head,
            &rows.days,
            self.device.as_ref(),
            opened,
            floor,
            &mut random("burn"),
        )
    }

    fn write(&mut self, burned: Burned) {
        self.rows.head = burned.head;
        for row in burned.put {
            match self.rows.days.iter_mut().find(|r| r.day == row.day) {
                Some(old) => *old = row,
                None => self.rows.days.push(row),
            }
        }
        self.rows.days.retain(|r| r.day >= burned.drop_before);
    }

    fn open_and_burn(&mut self, code: &str, now: Time) -> Opened {
        let opened = self.open(code, now).expect("opens");
        let burned = self.burn(&opened, 0).expect("not used before");
        self.write(burned);
        opened
    }
}

fn make(password: &str, secret: &[u8], device: Option<&Key32>, used_step: u64) -> LoginRows {
    make_at(COST, password, secret, device, used_step)
}

fn make_at(
    cost: Cost,
    password: &str,
    secret: &[u8],
    device: Option<&Key32>,
    used_step: u64,
) -> LoginRows {
    let new = New {
        vault: VAULT,
        slot: SLOT,
        member: ME,
        name: "Zoé",
        password: &SecretText::copy_of(password),
        secret: &SecretBytes::copy_of(secret),
        device: device.map(|d| (COMPUTER, d)),
        cost,
        window_days: 30,
        member_key: &key(7),
        used_step,
    };
    login::create(&new, &mut random("make"), &mut pretend).expect("makes")
}

fn code(now: Time) -> String {
    format!("{:06}", code_at(SECRET, step_of(now)))
}

fn refused(result: Result<Opened, Refused>) -> Option<Refused> {
    result.err()
}

#[test]
fn the_right_factors_open_the_members_key() {
    for portable in [false, true] {
        let mut home = Home::new(portable);
        let opened = home.open(&code(NOON), NOON).expect("opens");
        assert!(opened.member_key.expose(|k| *k == [7; 32]));
        assert_eq!((opened.skew, home.runs), (0, 1));
    }
}

#[test]
fn a_login_opens_with_the_stretching_it_was_made_with() {
    let password = SecretText::copy_of("correct horse");
    let device = key(9);
    let new = New {
        vault: VAULT,
        slot: SLOT,
        member: ME,
        name: "Zoé",
        password: &password,
        secret: &SecretBytes::copy_of(SECRET),
        device: Some((COMPUTER, &device)),
        cost: COST,
        window_days: 30,
        member_key: &key(7),
        used_step: step_of(NOON) - 1,
    };
    let rows = login::create(&new, &mut random("make"), &mut stretch).expect("makes");
    let first = day_of(step_of(NOON));
    let days = Days { span: Some((first, first + 30)), rows: &rows.days };
    let typed = SecretText::new(code(NOON));
    let given = Given { password: &password, code: &typed, device: Some(&device) };
    let opened = login::open(&VAULT, &rows.slot, &days, &given, NOON, 0, &mut stretch);
    assert!(opened.expect("opens").member_key.expose(|k| *k == [7; 32]));
}

#[test]
fn a_phone_one_step_off_opens_and_two_steps_do_not() {
    for (off, skew) in [(-30, -1), (30, 1)] {
        let mut home = Home::new(false);
        home.rows = make("correct horse", SECRET, Some(&key(9)), step_of(NOON) - 10);
        let opened = home.open(&code(NOON.plus_seconds(off)), NOON).expect("opens");
        assert_eq!(opened.skew, skew);
        let far = home.open(&code(NOON.plus_seconds(2 * off)), NOON);
        assert_eq!(refused(far), Some(Refused::Wrong));
    }
}

#[test]
fn whatever_is_wrong_the_answer_is_the_same() {
    let mut home = Home::new(false);
    let right = code(NOON);
    let device = key(9);
    let other = if right == "000000" { "000001" } else { "000000" };
    let tries = [
        home.open_with("wrong horse", &right, Some(&device), NOON),
        home.open_with("correct horse", other, Some(&device), NOON),
        home.open_with("correct horse", "12345", Some(&device), NOON),
        home.open_with("", "", Some(&device), NOON),
    ];
    for result in tries {
        assert_eq!(refused(result), Some(Refused::Wrong));
    }
    // A table that this computer's key does not open says so whatever is typed, and
    // before anything is stretched.
    home.runs = 0;
    for (password, code) in [("correct horse", right.as_str()), ("wrong horse", other)] {
        let foreign = home.open_with(password, code, Some(&key(8)), NOON);
        assert_eq!(refused(foreign), Some(Refused::Malformed));
    }
    assert_eq!(home.runs, 0);
    let without = home.open_with("correct horse", &right, None, NOON);
    assert_eq!(refused(without), Some(Refused::NoDevice));
}

#[test]
fn a_password_typed_in_another_unicode_form_opens() {
    let mut home = Home::new(true);
    home.rows = make("pâté", SECRET, None, step_of(NOON) - 1);
    let decomposed = "pa\u{302}te\u{301}";
    assert!(home.open_with(decomposed, &code(NOON), None, NOON).is_ok());
}

#[test]
fn a_used_code_opens_nothing_and_the_next_one_does() {
    let mut home = Home::new(false);
    home.open_and_burn(&code(NOON), NOON);
    let replayed = home.open(&code(NOON), NOON);
    assert_eq!(refused(replayed), Some(Refused::Wrong));
    assert_eq!(home.runs, 1, "only the step ahead is left to try");
    let next = NOON.plus_seconds(30);
    assert!(home.open(&code(NOON), next).is_err(), "nor does it open as the step before");
    home.open_and_burn(&code(next), next);
}

#[test]
fn the_code_of_a_phone_that_is_ahead_is_used_up_too() {
    let mut home = Home::new(false);
    let ahead = code(NOON.plus_seconds(30));
    home.open_and_burn(&ahead, NOON);
    assert_eq!(refused(home.open(&ahead, NOON)), Some(Refused::AlreadyUsed));
    assert_eq!(home.runs, 0);
    let later = NOON.plus_seconds(60);
    home.open_and_burn(&code(later), later);
}

#[test]
fn of_two_processes_with_one_code_only_one_gets_in() {
    let mut home = Home::new(false);
    let first = home.open(&code(NOON), NOON).expect("opens");
    let second = home.open(&code(NOON), NOON).expect("opens: nothing was written yet");
    let burned = home.burn(&first, 0).expect("the first to write");
    home.write(burned);
    assert_eq!(home.burn(&second, 0).err(), Some(BurnError::AlreadyUsed));
}

#[test]
fn a_code_used_on_another_computer_is_refused_here() {
    let mut home = Home::new(false);
    let opened = home.open(&code(NOON), NOON).expect("opens");
    let elsewhere = opened.used_step;
    assert_eq!(home.burn(&opened, elsewhere).err(), Some(BurnError::AlreadyUsed));
    assert!(home.burn(&opened, elsewhere - 1).is_ok());
}

#[test]
fn a_clock_put_back_is_noticed_without_any_stretching() {
    let mut home = Home::new(false);
    home.open_and_burn(&code(NOON), NOON);
    for back in [3600, 2 * DAY] {
        let early = NOON.plus_seconds(-back);
        assert_eq!(refused(home.open(&code(early), early)), Some(Refused::ClockBehind));
        assert_eq!(home.runs, 0);
    }
}

#[test]
fn the_window_ends_and_every_unlock_extends_it() {
    let mut home = Home::new(false);
    let late = NOON.plus_seconds(29 * DAY);
    home.open_and_burn(&code(late), late);
    assert_eq!(home.rows.days.len(), 31);
    assert_eq!(home.rows.days[0].day, day_of(step_of(late)));
    let later = late.plus_seconds(30 * DAY);
    assert!(home.open(&code(later), later).is_ok());
    let over = late.plus_seconds(32 * DAY);
    assert_eq!(refused(home.open(&code(over), over)), Some(Refused::WindowExceeded));
    assert_eq!(home.runs, 0);
}

#[test]
fn an_older_row_put_back_is_found_after_opening() {
    let mut home = Home::new(false);
    let old = home.rows.days[0].clone();
    home.open_and_burn(&code(NOON), NOON);
    home.rows.days[0] = old;
    let opened = home.open(&code(NOON), NOON).expect("the old row still gives the target");
    let mut unaware = opened;
    unaware.used_step += 1;
    assert_eq!(home.burn(&unaware, 0).err(), Some(BurnError::Tampered));
}

#[test]
fn a_weakened_cost_opens_nothing_and_an_absurd_one_is_never_run() {
    let mut home = Home::new(false);
    let dearer = Cost { mem_kib: 65 * 1024, ..COST };
    home.rows = make_at(dearer, "correct horse", SECRET, Some(&key(9)), step_of(NOON) - 1);
    assert!(home.open(&code(NOON), NOON).is_ok());
    let good = Params::parse(&home.rows.slot.params).expect("as made");
    let with = |cost| {
        let login = good.login.map(|l| LoginParams { cost, ..l });
        Params { login, ..good.clone() }.print()
    };
    home.rows.slot.params = with(COST);
    assert_eq!(refused(home.open(&code(NOON), NOON)), Some(Refused::Wrong));
    for cost in [
        Cost { mem_kib: 63 * 1024, ..COST },
        Cost { mem_kib: u32::MAX, ..COST },
        Cost { time: 1, ..COST },
        Cost { lanes: 255, ..COST },
    ] {
        home.rows.slot.params = with(cost);
        let refusal = refused(home.open(&code(NOON), NOON));
        assert_eq!(refusal, Some(Refused::Params(BadParams::Cost(BadCost))));
        assert_eq!(home.runs, 0);
    }
}

#[test]
fn every_byte_of_the_parameters_counts() {
    let rows = Home::new(true).rows;
    for at in 0..rows.slot.params.len() {
        let mut params = rows.slot.params.clone();
        params[at] ^= 1;
        match Params::parse(&params) {
            // Another salt, cost, window or computer: well-formed, but another key.
            Ok(other) => assert_ne!(Ok(other), Params::parse(&rows.slot.params)),
            Err(_) => assert!(!(19..51).contains(&at), "byte {at} is salt: any value is one"),
        }
    }
}

#[test]
fn factors_change_under_the_same_slot() {
    let mut home = Home::new(false);
    home.open_and_burn(&code(NOON), NOON);
    let new_secret = b"ABCDEFGHIJKLMNOPQRST";
    let now = NOON.plus_seconds(60);
    let proof = format!("{:06}", code_at(new_secret, step_of(now)));
    let used = login::confirm(&SecretBytes::copy_of(new_secret), &proof, now).expect("right code");
    let old_head = home.rows.head.clone();
    home.rows = make("new horse", new_secret, Some(&key(9)), used);
    let device = key(9);
    let later = now.plus_seconds(30);
    let typed = format!("{:06}", code_at(new_secret, step_of(later)));
    let old = home.open_with("correct horse", &code(later), Some(&device), later);
    assert_eq!(refused(old), Some(Refused::Wrong));
    let opened = home.open_with("new horse", &typed, Some(&device), later).expect("opens");
    assert!(opened.member_key.expose(|k| *k == [7; 32]), "the member's key stays");
    home.rows.head = old_head;
    assert_eq!(home.burn(&opened, 0).err(), Some(BurnError::Tampered));
}

#[test]
fn another_computer_is_enrolled_with_the_same_phone_and_a_fresh_code() {
    let mut home = Home::new(false);
    home.open_and_burn(&code(NOON), NOON);
    let LoginRows { slot, head, .. } = &home.rows;
    let step = |text: &str, now| login::step_for(&VAULT, slot, head, &key(7), text, now);
    assert_eq!(step(&code(NOON), NOON), Err(BurnError::AlreadyUsed));
    let next = NOON.plus_seconds(30);
    assert_eq!(step(&code(next), next), Ok(Some(step_of(next))));
    assert_eq!(step("12345", next), Ok(None));
    let secret = login::secret_of(&VAULT, slot, head, &key(7)).expect("opens");
    assert!(secret.expose(|s| s == SECRET));
    assert!(login::secret_of(&VAULT, slot, head, &key(8)).is_err());
}

#[test]
fn a_machine_without_the_memory_says_so() {
    let home = Home::new(true);
    let given = Given {
        password: &SecretText::copy_of("correct horse"),
        code: &SecretText::new(code(NOON)),
        device: None,
    };
    let first = day_of(step_of(NOON));
    let days = Days { span: Some((first, first + 30)), rows: &home.rows.days };
    let short = StretchError::Memory { needed_mib: 64 };
    let result =
        login::open(&VAULT, &home.rows.slot, &days, &given, NOON, 0, &mut |_, _, _| Err(short));
    assert_eq!(refused(result), Some(Refused::Stretch(short)));
}

#[test]
fn a_name_is_found_in_any_case_and_form() {
    assert_eq!(tag(&VAULT, "Zoé"), tag(&VAULT, " ZOE\u{301} "));
    assert_ne!(tag(&VAULT, "Zoé"), tag(&VaultId([9; 16]), "Zoé"));
}

#[test]
fn a_kit_opens_as_people_type_it() {
    let kit = code::draw(&mut random("kit"));
    let (row, side) =
        code::create(&VAULT, SLOT, Kind::Recovery, ME, &kit, &key(7), &mut random("slot"));
    let printed = code::print(Kind::Recovery, &kit);
    assert_eq!(printed.expose(|p| p.split('-').count()), 9);
    let sloppy =
        printed.expose(|p| p.to_lowercase().replace('-', "  ").replace('0', "o").replace('1', "l"));
    let typed = code::parse(Kind::Recovery, &sloppy).expect("reads");
    let opened = code::open(&VAULT, &row, Kind::Recovery, &typed).expect("opens");
    assert!(opened.member_key.expose(|k| *k == [7; 32]));
    assert!(opened.side_key.expose(|a| side.expose(|b| a == b)));
    assert!(code::open(&VAULT, &row, Kind::Invitation, &typed).is_err());
    assert!(code::open(&VaultId([9; 16]), &row, Kind::Recovery, &typed).is_err());
    let other = code::draw(&mut random("another kit"));
    assert!(code::open(&VAULT, &row, Kind::Recovery, &other).is_err());
}

#[test]
fn a_slip_in_a_code_is_told_from_a_wrong_code() {
    let kit = code::draw(&mut random("kit"));
    let text = code::print(Kind::Recovery, &kit).expose(str::to_owned);
    for at in (0..text.len()).filter(|&i| text.as_bytes()[i] != b'-') {
        let mut slip = text.clone().into_bytes();
        slip[at] = if slip[at] == b'7' { b'8' } else { b'7' };
        let slip = String::from_utf8(slip).expect("ASCII");
        assert_eq!(code::parse(Kind::Recovery, &slip).err(), Some(CodeError::Checksum), "{slip}");
    }
    let parse = |kind, t: &str| code::parse(kind, t).err();
    assert_eq!(parse(Kind::Recovery, &text[..10]), Some(CodeError::Length));
    assert_eq!(parse(Kind::Recovery, &text.replace('-', "U")), Some(CodeError::Sign));
    assert_eq!(parse(Kind::Invitation, &text), Some(CodeError::Other(Kind::Recovery)));
}

/// What an unlock should answer, told from the last used step and the last day.
fn expected(now: u64, typed: u64, last_used: u64, last_day: i64) -> Result<(), Refused> {
    let near = [now - 1, now, now + 1];
    let live = near.map(|step| step > last_used && day_of(step) <= last_day);
    if near.iter().zip(live).any(|(&step, live)| live && step == typed) {
        return Ok(());
    }
    Err(match live {
        [false, false, false] if day_of(now + 1) > last_day => Refused::WindowExceeded,
        [false, false, false] if last_used < now + 2 => Refused::AlreadyUsed,
        [false, false, false] => Refused::ClockBehind,
        _ => Refused::Wrong,
    })
}

proptest::proptest! {
    #![proptest_config(crate::kit::cases(150))]

    #[test]
    fn however_the_clock_runs_each_step_opens_once(
        moves in proptest::collection::vec(
            (
                proptest::prop_oneof![
                    5 => -90i64..=90,
                    2 => -2 * DAY..=2 * DAY,
                    1 => 0..=40 * DAY,
                ],
                -2i64..=2,
            ),
            1..12,
        ),
        portable: bool,
    ) {
        let mut home = Home::new(portable);
        let (mut now, mut last_used) = (NOON, step_of(NOON) - 1);
        let mut last_day = day_of(last_used) + 30;
        for (seconds, off) in moves {
            now = now.plus_seconds(seconds);
            let typed = now.plus_seconds(30 * off);
            let got = home.open(&code(typed), now);
            let wanted = expected(step_of(now), step_of(typed), last_used, last_day);
            // Two steps near each other can show the same code, once in a million.
            proptest::prop_assert_eq!(got.as_ref().map(|_| ()).map_err(|e| *e), wanted);
            if let Ok(opened) = got {
                let burned = home.burn(&opened, 0).expect("a live step was not used");
                home.write(burned);
                last_used = opened.used_step;
                last_day = last_day.max(day_of(last_used) + 30);
            }
        }
    }
}
