-- First format. Every column that is not a random identifier, a counter or a
-- signature is ciphertext; see src/vault/FORMAT.md.
create table vault(
  one integer primary key check(one = 1), vault_id blob not null, format integer not null,
  root_pk blob not null, audit_pk blob not null, pending_pk blob not null) strict;
create table slot(id blob primary key, member blob not null, tag integer not null,
  params blob not null, wrap blob not null) strict, without rowid;
create table otp_head(slot blob primary key, ct blob not null) strict, without rowid;
create table otp_day(slot blob not null, day integer not null, ct blob not null,
  primary key(slot, day)) strict;
create table member(id blob primary key, card blob not null, private blob) strict;
create table access(id blob primary key, member blob not null, subject blob not null,
  gen integer not null, enc_ct blob not null, grantor blob not null, sig blob not null) strict;
create index access_member on access(member);
create table state(one integer primary key check(one = 1), epoch integer not null, ct blob not null) strict;
create table segment(client blob primary key, gen integer not null, ver integer not null,
  ct blob not null) strict;
create table delta(client blob not null, n integer not null, gen integer not null, ct blob not null,
  primary key(client, n)) strict;
create table cell(id blob primary key, place blob not null, gen integer not null, ver integer not null,
  ct blob not null) strict;
create table audit_key(id integer primary key, ct blob not null, enc_ct blob not null) strict;
create table audit(seq integer primary key, key integer not null, n integer not null,
  leaf blob not null, opening blob not null) strict;
create table audit_pending(n integer primary key, ct blob not null) strict;
create table audit_unkept(one integer primary key check(one = 1), n integer not null) strict;
create table audit_late(n integer primary key, ct blob not null) strict;
