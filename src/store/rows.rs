//! The rows of the embedded store, table by table. It never opens a seal.

use rusqlite::{OptionalExtension, Params, Row, params};

use crate::model::id::{CellId, EntryId, MemberId, SlotId, VaultId};
use crate::vault::grant::GrantRow;
use crate::vault::otp::{OtpDayRow, OtpHeadRow};
use crate::vault::rows::{
    AuditKeyRow, AuditRow, AuditSlices, CellRow, DeltaRow, FORMAT, HeaderRow, MemberRow, Rows,
    SegmentRow, StoreError, Stored,
};
use crate::vault::slot::SlotRow;

use super::sqlite::{SqliteRows, from_sqlite};

type Got<T> = rusqlite::Result<T>;

/// A column of exactly `N` bytes; another length is damage.
fn fixed<const N: usize>(row: &Row<'_>, at: usize) -> Got<[u8; N]> {
    let blob = row.get_ref(at)?.as_blob()?;
    blob.try_into().map_err(|_| {
        rusqlite::Error::InvalidColumnType(at, "length".into(), rusqlite::types::Type::Blob)
    })
}

fn number(row: &Row<'_>, at: usize) -> Got<u64> {
    let n: i64 = row.get(at)?;
    u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, n))
}

fn small<T: TryFrom<i64>>(row: &Row<'_>, at: usize) -> Got<T> {
    let n: i64 = row.get(at)?;
    T::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, n))
}

impl SqliteRows<'_> {
    fn run(&self, sql: &str, p: impl Params) -> Stored<()> {
        self.db.prepare_cached(sql).and_then(|mut s| s.execute(p)).map_err(from_sqlite)?;
        Ok(())
    }

    fn one<T>(
        &self,
        sql: &str,
        p: impl Params,
        f: impl FnOnce(&Row<'_>) -> Got<T>,
    ) -> Stored<Option<T>> {
        let mut s = self.db.prepare_cached(sql).map_err(from_sqlite)?;
        s.query_row(p, f).optional().map_err(from_sqlite)
    }

    fn all<T>(
        &self,
        sql: &str,
        p: impl Params,
        mut f: impl FnMut(&Row<'_>) -> Got<T>,
    ) -> Stored<Vec<T>> {
        let mut out = Vec::new();
        self.each(sql, p, |row| {
            out.push(f(row)?);
            Ok(true)
        })?;
        Ok(out)
    }

    fn each(
        &self,
        sql: &str,
        p: impl Params,
        mut f: impl FnMut(&Row<'_>) -> Got<bool>,
    ) -> Stored<()> {
        let mut s = self.db.prepare_cached(sql).map_err(from_sqlite)?;
        let mut rows = s.query(p).map_err(from_sqlite)?;
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            if !f(row).map_err(from_sqlite)? {
                break;
            }
        }
        Ok(())
    }
}

fn grant(r: &Row<'_>) -> Got<GrantRow> {
    Ok(GrantRow {
        id: CellId(fixed(r, 0)?),
        member: MemberId(fixed(r, 1)?),
        subject: EntryId(fixed(r, 2)?),
        generation: small(r, 3)?,
        enc_ct: r.get(4)?,
        grantor: MemberId(fixed(r, 5)?),
        sig: fixed(r, 6)?,
    })
}

fn cell(r: &Row<'_>) -> Got<CellRow> {
    Ok(CellRow {
        id: CellId(fixed(r, 0)?),
        place: fixed(r, 1)?,
        generation: small(r, 2)?,
        ver: number(r, 3)?,
        ct: r.get(4)?,
    })
}

impl Rows for SqliteRows<'_> {
    fn header(&self) -> Stored<HeaderRow> {
        let row = self.one(
            "select vault_id, format, root_pk, audit_pk, pending_pk from vault where one = 1",
            [],
            |r| {
                let head = HeaderRow {
                    vault: VaultId(fixed(r, 0)?),
                    root_pk: fixed(r, 2)?,
                    audit_pk: r.get(3)?,
                    pending_pk: r.get(4)?,
                };
                Ok((small::<u32>(r, 1)?, head))
            },
        )?;
        match row {
            Some((FORMAT, head)) => Ok(head),
            Some((other, _)) if other > FORMAT => Err(StoreError::Newer(other)),
            _ => Err(StoreError::Corrupt("its first row is missing".into())),
        }
    }

    fn put_header(&self, h: &HeaderRow) -> Stored<()> {
        self.run(
            "insert or replace into vault values (1, ?, ?, ?, ?, ?)",
            params![h.vault.0, FORMAT, h.root_pk, h.audit_pk, h.pending_pk],
        )
    }

    fn slots(&self) -> Stored<Vec<SlotRow>> {
        self.all("select id, member, tag, params, wrap from slot order by id", [], |r| {
            Ok(SlotRow {
                id: SlotId(fixed(r, 0)?),
                member: MemberId(fixed(r, 1)?),
                tag: small(r, 2)?,
                params: r.get(3)?,
                wrap: r.get(4)?,
            })
        })
    }

    fn put_slot(&self, s: &SlotRow) -> Stored<()> {
        self.run(
            "insert or replace into slot values (?, ?, ?, ?, ?)",
            params![s.id.0, s.member.0, s.tag, s.params, s.wrap],
        )
    }

    fn drop_slot(&self, id: &SlotId) -> Stored<()> {
        self.run("delete from otp_day where slot = ?", [id.0])?;
        self.run("delete from otp_head where slot = ?", [id.0])?;
        self.run("delete from slot where id = ?", [id.0])
    }

    fn otp_head(&self, slot: &SlotId) -> Stored<Option<OtpHeadRow>> {
        self.one("select slot, ct from otp_head where slot = ?", [slot.0], |r| {
            Ok(OtpHeadRow { slot: SlotId(fixed(r, 0)?), ct: r.get(1)? })
        })
    }

    fn put_otp_head(&self, h: &OtpHeadRow) -> Stored<()> {
        self.run("insert or replace into otp_head values (?, ?)", params![h.slot.0, h.ct])
    }

    fn otp_days(&self, slot: &SlotId, range: Option<(i64, i64)>) -> Stored<Vec<OtpDayRow>> {
        let (from, to) = range.unwrap_or((i64::MIN, i64::MAX));
        self.all(
            "select slot, day, ct from otp_day where slot = ? and day between ? and ? order by day",
            params![slot.0, from, to],
            |r| Ok(OtpDayRow { slot: SlotId(fixed(r, 0)?), day: r.get(1)?, ct: r.get(2)? }),
        )
    }

    fn otp_span(&self, slot: &SlotId) -> Stored<Option<(i64, i64)>> {
        let span =
            self.one("select min(day), max(day) from otp_day where slot = ?", [slot.0], |r| {
                Ok((r.get::<_, Option<i64>>(0)?, r.get::<_, Option<i64>>(1)?))
            })?;
        Ok(span.and_then(|(a, b)| a.zip(b)))
    }

    fn put_otp_day(&self, d: &OtpDayRow) -> Stored<()> {
        self.run("insert or replace into otp_day values (?, ?, ?)", params![d.slot.0, d.day, d.ct])
    }

    fn drop_otp_day(&self, slot: &SlotId, day: i64) -> Stored<()> {
        self.run("delete from otp_day where slot = ? and day = ?", params![slot.0, day])
    }

    fn members(&self) -> Stored<Vec<MemberRow>> {
        self.all("select id, card, private from member order by id", [], |r| {
            Ok(MemberRow { id: MemberId(fixed(r, 0)?), card: r.get(1)?, private: r.get(2)? })
        })
    }

    fn put_member(&self, m: &MemberRow) -> Stored<()> {
        self.run(
            "insert or replace into member values (?, ?, ?)",
            params![m.id.0, m.card, m.private],
        )
    }

    fn drop_member(&self, id: &MemberId) -> Stored<()> {
        self.run("delete from member where id = ?", [id.0])
    }

    fn grants(&self) -> Stored<Vec<GrantRow>> {
        self.all(
            "select id, member, subject, gen, enc_ct, grantor, sig from access order by id",
            [],
            grant,
        )
    }

    fn grants_of(&self, member: &MemberId) -> Stored<Vec<GrantRow>> {
        self.all(
            "select id, member, subject, gen, enc_ct, grantor, sig from access where member = ?",
            [member.0],
            grant,
        )
    }

    fn grant_heads(&self, member: &MemberId) -> Stored<Vec<(CellId, EntryId, u32)>> {
        self.all("select id, subject, gen from access where member = ?", [member.0], |r| {
            Ok((CellId(fixed(r, 0)?), EntryId(fixed(r, 1)?), small(r, 2)?))
        })
    }

    fn grant(&self, id: &CellId) -> Stored<Option<GrantRow>> {
        self.one(
            "select id, member, subject, gen, enc_ct, grantor, sig from access where id = ?",
            [id.0],
            grant,
        )
    }

    fn put_grant(&self, g: &GrantRow) -> Stored<()> {
        self.run(
            "insert or replace into access values (?, ?, ?, ?, ?, ?, ?)",
            params![g.id.0, g.member.0, g.subject.0, g.generation, g.enc_ct, g.grantor.0, g.sig],
        )
    }

    fn drop_grant(&self, id: &CellId) -> Stored<()> {
        self.run("delete from access where id = ?", [id.0])
    }

    fn state(&self) -> Stored<(u64, Vec<u8>)> {
        self.one("select epoch, ct from state where one = 1", [], |r| {
            Ok((number(r, 0)?, r.get(1)?))
        })?
        .ok_or_else(|| StoreError::Corrupt("its state is missing".into()))
    }

    fn put_state(&self, epoch: u64, ct: &[u8]) -> Stored<()> {
        self.run("insert or replace into state values (1, ?, ?)", params![epoch as i64, ct])
    }

    fn epoch(&self) -> Stored<u64> {
        self.one("select epoch from state where one = 1", [], |r| number(r, 0))?
            .ok_or_else(|| StoreError::Corrupt("its state is missing".into()))
    }

    fn segment_heads(&self) -> Stored<Vec<(EntryId, u64, u64)>> {
        self.all(
            "select client, ver, coalesce((select max(n) from delta d where d.client = s.client), 0)
             from segment s order by client",
            [],
            |r| Ok((EntryId(fixed(r, 0)?), number(r, 1)?, number(r, 2)?)),
        )
    }

    fn segment_mark(&self, client: &EntryId) -> Stored<Vec<u8>> {
        let sql = "select substr(ct, 1, 56) from segment where client = ?";
        Ok(self.one(sql, [client.0], |r| r.get(0))?.unwrap_or_default())
    }

    fn delta_marks(&self) -> Stored<Vec<(EntryId, u64, Vec<u8>)>> {
        self.all("select client, n, substr(ct, 1, 56) from delta", [], |r| {
            Ok((EntryId(fixed(r, 0)?), number(r, 1)?, r.get(2)?))
        })
    }

    fn segment(&self, client: &EntryId) -> Stored<Option<SegmentRow>> {
        self.one("select client, gen, ver, ct from segment where client = ?", [client.0], |r| {
            Ok(SegmentRow {
                client: EntryId(fixed(r, 0)?),
                generation: small(r, 1)?,
                ver: number(r, 2)?,
                ct: r.get(3)?,
            })
        })
    }

    fn put_segment(&self, s: &SegmentRow) -> Stored<()> {
        self.run(
            "insert or replace into segment values (?, ?, ?, ?)",
            params![s.client.0, s.generation, s.ver as i64, s.ct],
        )
    }

    fn drop_segment(&self, client: &EntryId) -> Stored<()> {
        self.run("delete from segment where client = ?", [client.0])
    }

    fn deltas(&self, client: &EntryId) -> Stored<Vec<DeltaRow>> {
        self.all(
            "select client, n, gen, ct from delta where client = ? order by n",
            [client.0],
            |r| {
                Ok(DeltaRow {
                    client: EntryId(fixed(r, 0)?),
                    n: number(r, 1)?,
                    generation: small(r, 2)?,
                    ct: r.get(3)?,
                })
            },
        )
    }

    fn put_delta(&self, d: &DeltaRow) -> Stored<()> {
        self.run(
            "insert into delta values (?, ?, ?, ?)",
            params![d.client.0, d.n as i64, d.generation, d.ct],
        )
    }

    fn drop_deltas(&self, client: &EntryId) -> Stored<()> {
        self.run("delete from delta where client = ?", [client.0])
    }

    fn cell(&self, id: &CellId) -> Stored<Option<CellRow>> {
        self.one("select id, place, gen, ver, ct from cell where id = ?", [id.0], cell)
    }

    fn put_cell(&self, c: &CellRow) -> Stored<()> {
        self.run(
            "insert or replace into cell values (?, ?, ?, ?, ?)",
            params![c.id.0, c.place, c.generation, c.ver as i64, c.ct],
        )
    }

    fn drop_cell(&self, id: &CellId) -> Stored<()> {
        self.run("delete from cell where id = ?", [id.0])
    }

    fn each_cell(&self, each: &mut dyn FnMut(CellRow)) -> Stored<()> {
        self.each("select id, place, gen, ver, ct from cell", [], |r| {
            each(cell(r)?);
            Ok(true)
        })
    }

    fn audit_keys(&self) -> Stored<Vec<AuditKeyRow>> {
        self.all("select id, ct, enc_ct from audit_key order by id", [], |r| {
            Ok(AuditKeyRow { id: number(r, 0)?, ct: r.get(1)?, enc_ct: r.get(2)? })
        })
    }

    fn put_audit_key(&self, k: &AuditKeyRow) -> Stored<()> {
        self.run(
            "insert or replace into audit_key values (?, ?, ?)",
            params![k.id as i64, k.ct, k.enc_ct],
        )
    }

    fn each_audit_slices(
        &self,
        from: u64,
        each: &mut dyn FnMut(AuditSlices<'_>) -> bool,
    ) -> Stored<()> {
        self.each(
            "select seq, key, n, leaf, opening from audit where seq >= ? order by seq",
            [from as i64],
            |r| {
                Ok(each(AuditSlices {
                    seq: number(r, 0)?,
                    key: number(r, 1)?,
                    n: number(r, 2)?,
                    leaf: r.get_ref(3)?.as_blob()?,
                    opening: r.get_ref(4)?.as_blob()?,
                }))
            },
        )
    }

    fn put_audit(&self, a: &AuditRow) -> Stored<()> {
        self.run(
            "insert into audit values (?, ?, ?, ?, ?)",
            params![a.seq as i64, a.key as i64, a.n as i64, a.leaf, a.opening],
        )
    }

    fn count_audit(&self, range: std::ops::Range<u64>) -> Stored<u64> {
        let [from, to] = [range.start, range.end].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let count =
            self.one("select count(*) from audit where seq >= ? and seq < ?", [from, to], |r| {
                number(r, 0)
            })?;
        Ok(count.unwrap_or(0))
    }

    fn last_audit(&self) -> Stored<Option<u64>> {
        self.one("select seq from audit order by seq desc limit 1", [], |r| number(r, 0))
    }

    fn pending(&self, longest: usize, most: u64) -> Stored<Vec<Vec<u8>>> {
        self.all(
            "select ct from audit_pending where length(ct) <= ? order by n limit ?",
            [longest as i64, most as i64],
            |r| r.get(0),
        )
    }

    fn count_pending(&self) -> Stored<u64> {
        Ok(self.one("select count(*) from audit_pending", [], |r| number(r, 0))?.unwrap_or(0))
    }

    fn put_pending(&self, ct: &[u8]) -> Stored<()> {
        self.run("insert into audit_pending(ct) values (?)", [ct])
    }

    fn unkept(&self) -> Stored<u64> {
        let count =
            self.one("select max(n, 0) from audit_unkept where one = 1", [], |r| number(r, 0))?;
        Ok(count.unwrap_or(0))
    }

    fn count_unkept(&self) -> Stored<()> {
        self.run(
            "insert into audit_unkept values (1, 1)
             on conflict(one) do update set n = n + 1 where n < 9223372036854775807",
            [],
        )
    }

    fn late(&self, longest: usize) -> Stored<Vec<Vec<u8>>> {
        self.all(
            "select ct from audit_late where length(ct) <= ? order by n",
            [longest as i64],
            |r| r.get(0),
        )
    }

    fn count_late(&self) -> Stored<u64> {
        Ok(self.one("select count(*) from audit_late", [], |r| number(r, 0))?.unwrap_or(0))
    }

    fn put_late(&self, ct: &[u8]) -> Stored<()> {
        self.run("insert into audit_late(ct) values (?)", [ct])
    }

    fn drop_waiting(&self) -> Stored<()> {
        for table in ["audit_pending", "audit_late", "audit_unkept"] {
            self.run(&format!("delete from {table}"), [])?;
        }
        Ok(())
    }
}
