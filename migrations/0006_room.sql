-- Blanks that a planned message gives up when it is claimed: what is written about it until it is sent has its place
-- then, and no page must be split while messages go out. SQLite alone needs it; PostgreSQL writes a new row anyway.
alter table touchpoints add column room text;
