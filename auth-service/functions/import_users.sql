-- Makes accounts with the passwords of another system: p_users lists them with
-- user, email, email_canonical, email_verified, display_name and hash. Tells
-- those that were made. Called again with the same ids, it changes nothing and
-- tells the same.
create or replace function api.import_users(p_users jsonb, p_client jsonb, p_now timestamptz)
returns table (user_id uuid) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_client jsonb := data.operating(p_client, p_now);
    v_one record;
begin
    -- In one order, so that imports side by side wait for each other once. Of two
    -- with one address it is the first.
    for v_one in
        select e."user", e.email, e.email_canonical, e.email_verified, e.display_name, e.hash
        from rows from (jsonb_to_recordset(p_users) as (
            "user" uuid, email text, email_canonical text, email_verified boolean,
            display_name text, hash text)) with ordinality as e (
            "user", email, email_canonical, email_verified, display_name, hash, place)
        order by e.email_canonical, e.place
    loop
        perform set_config('app.user_id', v_one."user"::text, true);
        insert into data.user_emails (email_canonical, user_id)
        values (v_one.email_canonical, v_one."user") on conflict do nothing;
        -- Another user's row is not visible here.
        continue when not exists (
            select from data.user_emails m
            where m.email_canonical = v_one.email_canonical and m.user_id = v_one."user"
        );
        insert into data.users (
            user_id, email, email_verified, display_name, password_hash, pepper_id,
            created_at, updated_at
        ) values (
            v_one."user", v_one.email, v_one.email_verified, v_one.display_name, v_one.hash, '',
            p_now, p_now
        ) on conflict do nothing;
        if found then
            perform data.audit(v_one."user", 'admin.user.imported', v_client, null, null, p_now);
        end if;
        user_id := v_one."user";
        return next;
    end loop;
end $$;
