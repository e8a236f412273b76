-- What `status` tells of a source until it is read again: how many of its rows were refused, and where they are; and how
-- many rows of an entity belong to customers who are not known.
alter table sources add column refused bigint;
alter table sources add column errors_file text;
alter table sources add column strays bigint;
