-- Whether the user of this statement has a second factor.
create or replace function data.has_factor(p_user uuid)
returns boolean language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return data.totp_count(p_user) > 0;
end $$;
