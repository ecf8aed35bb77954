-- Makes sure that the caller still is an operator, by p_client -> 'operator': a
-- user in a session, or service accounts and when their token was issued. Tells
-- the client with its actor, for the audit log. DU003 is our own code: no
-- operator (any more); DU004: what the token lives with is gone.
create or replace function data.operating(p_client jsonb, p_now timestamptz)
returns jsonb language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_operator jsonb := p_client -> 'operator';
    v_user uuid := v_operator ->> 'user';
    v_actor text;
begin
    if v_user is not null then
        perform data.acting_in(v_user, (v_operator ->> 'session')::uuid, p_now);
        if not exists (select from data.users where user_id = v_user and is_admin) then
            raise exception 'the user is no operator' using errcode = 'DU003';
        end if;
        v_actor := 'users/' || v_user;
    else
        if not data.services_live(
            array(select jsonb_array_elements_text(v_operator -> 'accounts')::uuid),
            (v_operator ->> 'issued_at')::timestamptz
        ) then
            raise exception 'the service account is gone' using errcode = 'DU004';
        end if;
        select 'serviceAccounts/' || a.name into v_actor from data.service_accounts a
            where a.account_id = (v_operator ->> 'service')::uuid;
        if v_actor is null then
            raise exception 'nobody operates' using errcode = 'DU003';
        end if;
    end if;
    return (p_client - 'operator') || jsonb_build_object('actor', v_actor);
end $$;
