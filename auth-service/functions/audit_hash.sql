-- The hash of an entry of the audit log: over that of the entry before and
-- everything that the entry says, as JSON.
create or replace function data.audit_hash(p_before bytea, p_event data.audit_events)
returns bytea language sql stable set search_path = pg_catalog, pg_temp as $$
    select sha256(p_before || convert_to(jsonb_build_array(
        p_event.user_id, p_event.sequence, p_event.kind, p_event.actor, p_event.address_prefix,
        p_event.device_label, p_event.session_id, p_event.details,
        (extract(epoch from p_event.created_at) * 1000000)::bigint
    )::text, 'UTF8'))
$$;
