-- Adds to the audit log of p_user, or of the service itself where it is nil.
-- p_client says who and from where: address_prefix, device_label, actor.
create or replace function data.audit(
    p_user uuid, p_kind text, p_client jsonb, p_session uuid, p_details jsonb, p_now timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_acting text := current_setting('app.user_id', true);
    v_head data.audit_heads;
    v_event data.audit_events;
begin
    perform set_config('app.user_id', p_user::text, true);
    insert into data.audit_heads as h (user_id, sequence, hash) values (p_user, 1, '')
        on conflict (user_id) do update set sequence = h.sequence + 1
        returning h.* into v_head;
    v_event.user_id := p_user;
    v_event.sequence := v_head.sequence;
    v_event.kind := p_kind;
    v_event.actor := coalesce(p_client ->> 'actor', '');
    v_event.address_prefix := coalesce(p_client ->> 'address_prefix', '');
    v_event.device_label := coalesce(p_client ->> 'device_label', '');
    v_event.session_id := p_session;
    v_event.details := coalesce(p_details, '{}');
    v_event.created_at := p_now;
    v_event.hash := data.audit_hash(v_head.hash, v_event);
    insert into data.audit_events select v_event.*;
    update data.audit_heads set hash = v_event.hash where user_id = p_user;
    perform set_config('app.user_id', coalesce(v_acting, ''), true);
end $$;
