-- Whether all these service accounts are there, and nothing was withdrawn from
-- them since p_issued_at. Nil is this service itself.
create or replace function data.services_live(p_accounts uuid[], p_issued_at timestamptz)
returns boolean language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return not exists (
        select from unnest(p_accounts) as named (account_id)
        where named.account_id <> '00000000-0000-0000-0000-000000000000' and not exists (
            select from data.service_accounts a where a.account_id = named.account_id
                and (a.tokens_not_before is null or a.tokens_not_before <= p_issued_at)
        )
    );
end $$;
