-- Has mails of these kinds be good for nothing that could give the account of the
-- user of this statement to whoever asked for them or reads them: another
-- password, another address. What was used stays for those who look into what
-- happened, but not one of two yeses to another address: it would count on.
create or replace function data.void_mail_tokens(p_user uuid, p_kinds text[])
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    delete from data.mail_tokens t
        where t.user_id = p_user and t.kind = any (p_kinds)
            and (t.used_at is null or t.kind in ('change-old', 'change-new'));
end $$;
