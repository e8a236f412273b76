-- People who were erased: keyed hashes of their key, of their addresses and of the keys of rows that others hang on,
-- so that imports leave them out. `person` is the hash of the customer's key.
create table erased (
    person text not null,
    hash text not null,
    at bigint not null,
    primary key (person, hash)
);
create index erased_hash on erased (hash);

-- How far a database source was read (`since`), and what was wrong when it was read last.
alter table sources add column mark text;
alter table sources add column problem text;
alter table sources add column problem_at bigint;
