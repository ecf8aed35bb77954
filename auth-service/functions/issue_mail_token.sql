-- Stores the hash of the token in a mail; of its kind at most three are live, and
-- the oldest makes room, but not where each makes another account: there the pauses
-- bound them. Or tells how long the mail has to wait, by the pauses
-- that it brings, and then does nothing. Called again with the same token, it
-- changes nothing.
create or replace function data.issue_mail_token(
    p_user uuid, p_mail jsonb, p_payload jsonb, p_now timestamptz
) returns interval language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_kind text := p_mail #>> '{token,kind}';
    v_hash bytea := decode(p_mail #>> '{token,hash}', 'hex');
    v_pause jsonb;
    v_wait interval;
begin
    if exists (
        select from data.mail_tokens t where t.user_id = p_user and t.kind = v_kind and t.hash = v_hash
    ) then
        return null;
    end if;
    -- One that has to wait counts nowhere.
    v_wait := data.throttled_for(array(
        select decode(e.pause ->> 'bucket', 'hex') from jsonb_array_elements(p_mail -> 'pauses') as e (pause)
    ), p_now);
    if v_wait is not null then
        return v_wait;
    end if;
    for v_pause in select e.pause from jsonb_array_elements(p_mail -> 'pauses') as e (pause) loop
        v_wait := data.count_attempt(
            decode(v_pause ->> 'bucket', 'hex'), v_pause -> 'rule', p_now);
        if v_wait is not null then
            return v_wait;
        end if;
    end loop;
    delete from data.mail_tokens t using (
        select o.hash, row_number() over (order by o.created_at desc) as place
        from data.mail_tokens o
        where o.user_id = p_user and o.kind = v_kind and o.used_at is null
    ) live where v_kind <> 'sign-up' and t.user_id = p_user and t.kind = v_kind and t.hash = live.hash and live.place >= 3;
    insert into data.mail_tokens (user_id, kind, hash, payload, created_at, expires_at)
    values (p_user, v_kind, v_hash, p_payload, p_now, (p_mail #>> '{token,expires_at}')::timestamptz);
    return null;
end $$;
