-- How often somebody said stop: each suppression, each no, each pause raises it in its own transaction. A message that
-- was looked at before the last of them is looked at again in the transaction that marks it as about to be sent.
create table stops (
    name text not null primary key,
    generation bigint not null
);
insert into stops (name, generation) values ('all', 0);
