-- Removes tokens of mails, of any user, that expired before p_now. Looks at up to
-- p_limit after (p_after_user, p_after_kind, p_after_hash), by their key; tells the last one,
-- null when there are no more.
create or replace function api.sweep_mail_tokens(
    p_now timestamptz, p_after_user uuid, p_after_kind text, p_after_hash bytea, p_limit bigint,
    out last_user uuid, out last_kind text, out last_hash bytea
) language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    v_nil constant uuid := '00000000-0000-0000-0000-000000000000';
begin
    perform set_config('app.sweep', 'on', true);
    with page as (
        select t.user_id, t.kind, t.hash, t.expires_at from data.mail_tokens t
        where (t.user_id, t.kind, t.hash)
            > (coalesce(p_after_user, v_nil), coalesce(p_after_kind, ''), coalesce(p_after_hash, ''))
        order by t.user_id, t.kind, t.hash
        limit p_limit
    ), removed as (
        delete from data.mail_tokens t using page p
        where t.user_id = p.user_id and t.kind = p.kind and t.hash = p.hash
            and t.expires_at < p_now and p.expires_at < p_now
    )
    select p.user_id, p.kind, p.hash into last_user, last_kind, last_hash
        from page p where (select count(*) from page) = p_limit
        order by p.user_id desc, p.kind desc, p.hash desc limit 1;
    perform set_config('app.sweep', '', true);
end $$;
