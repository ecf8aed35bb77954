-- Whether the token of a subject may be exchanged: `subject_lives` as for
-- api.token_lives, `actor_name` and `actor_scopes` of the service account that
-- will act, null if its token is good no more.
create or replace function api.exchange_token(
    p_user uuid, p_session uuid, p_accounts uuid[], p_issued_at timestamptz,
    p_actor uuid, p_actor_issued_at timestamptz, p_now timestamptz
) returns table (subject_lives boolean, actor_name text, actor_scopes text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    subject_lives := api.token_lives(p_user, p_session, p_accounts, p_issued_at, p_now);
    if data.services_live(array[p_actor], p_actor_issued_at) then
        select a.name, a.scopes into actor_name, actor_scopes
            from data.service_accounts a where a.account_id = p_actor;
    end if;
    return next;
end $$;
