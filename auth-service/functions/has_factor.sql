-- Whether the user of this statement has a second factor. Recovery codes are none:
-- they only come with one.
create or replace function data.has_factor(p_user uuid)
returns boolean language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return exists (
        select from data.factors f
        where f.user_id = p_user and f.kind <> 'recovery_codes' and f.confirmed_at is not null);
end $$;
