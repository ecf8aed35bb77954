-- Its new form counts.
drop function if exists api.reset_subject(uuid, bytea, timestamptz);
