//! Types at the boundary: what a program may rely on.

use poterne::model::id::EntryId;

#[test]
fn an_id_prints_and_parses_as_the_same_32_hex_digits() {
    let id = EntryId([0xAB; 16]);
    assert_eq!(id.to_string().parse::<EntryId>(), Ok(id));
    assert!("abc".parse::<EntryId>().is_err());
}
