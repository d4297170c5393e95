//! The tables, in the types both databases share: text ids, epoch milliseconds, JSON as text.
//! Follows `migrations/`; a test compares the two.
#![allow(missing_docs, reason = "the columns are documented where rows are read")]

diesel::table! {
    audit_entry (entry_id) {
        entry_id -> Text,
        stream -> Text,
        rev -> BigInt,
        prev -> Nullable<Binary>,
        kind -> Text,
        lot_id -> Nullable<Text>,
        project_id -> Nullable<Text>,
        org_id -> Nullable<Text>,
        actor_id -> Nullable<Text>,
        at_ms -> BigInt,
        sealed -> Bool,
        c -> Binary,
        h_p -> Binary,
        h_c -> Binary,
        h_i -> Binary,
        s_p -> Binary,
        part_p -> Text,
        s_c -> Binary,
        part_c -> Text,
    }
}

diesel::table! {
    audit_personal (entry_id) {
        entry_id -> Text,
        s_i -> Binary,
        part_i -> Text,
    }
}

diesel::table! {
    audit_pending (place) {
        place -> BigInt,
        entry_id -> Text,
        c -> Binary,
    }
}

diesel::table! {
    audit_head (id) {
        id -> BigInt,
        size -> BigInt,
        root -> Binary,
        batch -> BigInt,
        slot -> BigInt,
        epoch -> BigInt,
        holder -> Nullable<Text>,
        lease_until -> BigInt,
        published_size -> BigInt,
        published_ms -> BigInt,
        published -> Nullable<Text>,
        halted -> Nullable<Text>,
    }
}

diesel::table! {
    audit_batch (batch) {
        batch -> BigInt,
        size_before -> BigInt,
        size_after -> BigInt,
        n_real -> BigInt,
        pad_key -> Binary,
        slot -> BigInt,
        at_ms -> BigInt,
        epoch -> BigInt,
        root -> Binary,
    }
}

diesel::table! {
    audit_leaf (entry_id) {
        entry_id -> Text,
        leaf_index -> BigInt,
    }
}

diesel::table! {
    audit_key (vkey) {
        vkey -> Text,
        role -> Text,
        first_size -> BigInt,
        last_size -> Nullable<BigInt>,
    }
}

diesel::table! {
    disclosures_due (lot_id) {
        lot_id -> Text,
        entry_id -> Nullable<Text>,
    }
}

diesel::table! {
    audit_name (n) {
        n -> Integer,
        name -> Text,
    }
}

diesel::table! {
    audit_search (n) {
        n -> BigInt,
        entry_id -> Text,
        at_ms -> BigInt,
        kind -> Integer,
        lot -> Nullable<Integer>,
        project -> Nullable<Integer>,
        org -> Nullable<Integer>,
        actor -> Nullable<Integer>,
        sealed -> Bool,
    }
}

diesel::table! {
    audit_unsearched (entry_id) {
        entry_id -> Text,
    }
}

diesel::table! {
    idempotency (principal, key) {
        principal -> Text,
        key -> Text,
        request_hash -> Binary,
        answer -> Text,
        at_ms -> BigInt,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        dedup -> Text,
        recipient -> Text,
        subject -> Text,
        body -> Text,
        sealed -> Bool,
        state -> Text,
        attempts -> BigInt,
        next_at -> BigInt,
        lease_until -> BigInt,
        last_error -> Nullable<Text>,
        lot_id -> Nullable<Text>,
        created_at -> BigInt,
        sent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    meta (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    leases (name) {
        name -> Text,
        holder -> Text,
        until_ms -> BigInt,
    }
}

diesel::table! {
    instances (id) {
        id -> Text,
        started_at -> BigInt,
        beat_at -> BigInt,
        inflight_since -> Nullable<BigInt>,
        clock_offset_ms -> BigInt,
        ready_at -> Nullable<BigInt>,
        stopped_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    outages (owner_id) {
        owner_id -> Text,
        owner_version -> BigInt,
        from_at -> BigInt,
        until_at -> BigInt,
    }
}

diesel::table! {
    organisations (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        scheme -> Text,
        identifier -> Text,
        name -> Text,
        body -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        org_id -> Text,
        login -> Text,
        roles -> Text,
        body -> Text,
    }
}

diesel::table! {
    signing_keys (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        kid -> Text,
        org_id -> Text,
        user_id -> Text,
        alg -> Text,
        public_key -> Text,
    }
}

diesel::table! {
    service_clients (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        kid -> Text,
        org_id -> Text,
        roles -> Text,
        alg -> Text,
        public_key -> Text,
        body -> Text,
    }
}

diesel::table! {
    used_assertions (client_id, jti_hash) {
        client_id -> Text,
        jti_hash -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    user_secrets (user_id) {
        user_id -> Text,
        password_hash -> Text,
        changed_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        user_id -> Text,
        started_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Text,
        session_id -> Text,
        issued_at -> BigInt,
        used_at -> Nullable<BigInt>,
        successor -> Nullable<Text>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    reset_tokens (hash) {
        hash -> Text,
        user_id -> Text,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    projects (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        org_id -> Text,
        code -> Text,
        name -> Text,
        body -> Text,
    }
}

diesel::table! {
    lots (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        hold -> Nullable<Text>,
        project_id -> Text,
        org_id -> Text,
        edition -> Text,
        category -> Text,
        title -> Text,
        deadline_at -> Nullable<BigInt>,
        due_at -> Nullable<BigInt>,
        unsealed_at -> Nullable<BigInt>,
        unsealed_for -> Nullable<Text>,
        previous_lot_id -> Nullable<Text>,
        created_at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    documents (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        lot_id -> Text,
        name -> Text,
        media_type -> Text,
        size_bytes -> BigInt,
        sha256 -> Text,
        upload_id -> Text,
    }
}

diesel::table! {
    questions (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        kind -> Text,
        lot_id -> Text,
        org_id -> Text,
        body -> Text,
    }
}

diesel::table! {
    notices (id) {
        id -> Text,
        version -> BigInt,
        lot_id -> Text,
        kind -> Text,
        published_at -> BigInt,
        content_sha256 -> Text,
        body -> Text,
    }
}

diesel::table! {
    followers (id) {
        id -> Text,
        version -> BigInt,
        lot_id -> Text,
        org_id -> Text,
        at_ms -> BigInt,
    }
}

diesel::table! {
    calendar_years (id) {
        id -> Text,
        version -> BigInt,
        year -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    key_sets (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        kid -> Text,
        lot_id -> Text,
        body -> Text,
        round -> BigInt,
    }
}

diesel::table! {
    key_secrets (kid) {
        kid -> Text,
        wrapped -> Binary,
    }
}

diesel::table! {
    uploads (id) {
        id -> Text,
        org_id -> Text,
        lot_id -> Nullable<Text>,
        purpose -> Text,
        size_bytes -> BigInt,
        chunk_bytes -> BigInt,
        root -> Text,
        state -> Text,
        attached_to -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        read_due_at -> BigInt,
    }
}

diesel::table! {
    damages (upload_id) {
        upload_id -> Text,
        found_at -> BigInt,
        leaves_lost -> Bool,
        chunks -> Text,
    }
}

diesel::table! {
    bids (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        kind -> Text,
        lot_id -> Text,
        org_id -> Text,
        rev -> BigInt,
        received_at -> BigInt,
        body -> Text,
        sealed_version -> BigInt,
    }
}

diesel::table! {
    bid_envelopes (envelope_id) {
        owner_id -> Text,
        owner_version -> BigInt,
        envelope_id -> Text,
        lot_id -> Text,
        org_id -> Text,
        part -> Text,
        upload_id -> Text,
        enc -> Text,
        header -> Text,
    }
}

diesel::table! {
    refusals (id) {
        id -> Text,
        version -> BigInt,
        lot_id -> Text,
        org_id -> Text,
        code -> Text,
        header_sha256 -> Text,
        received_at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    openings (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        lot_id -> Text,
        body -> Text,
        round -> BigInt,
    }
}

diesel::table! {
    unsealings (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        lot_id -> Text,
        bid_id -> Text,
        envelope_id -> Text,
        part -> Text,
        body -> Text,
    }
}

diesel::table! {
    objections (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        kind -> Text,
        lot_id -> Text,
        org_id -> Text,
        body -> Text,
    }
}

diesel::table! {
    evaluations (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        lot_id -> Text,
        bid_id -> Text,
        body -> Text,
    }
}

diesel::table! {
    reports (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        lot_id -> Text,
        body -> Text,
    }
}

diesel::table! {
    mandates (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        user_id -> Text,
        matter -> Text,
        from_at -> BigInt,
        until_at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    break_glasses (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        lot_id -> Text,
        org_id -> Text,
        user_id -> Text,
        matter -> Text,
        until_at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    erasures (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        subject_id -> Text,
        before_at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    custodians (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        user_id -> Text,
        org_id -> Text,
        sign_kid -> Text,
        kem -> Text,
    }
}

diesel::table! {
    ceremonies (id) {
        id -> Text,
        version -> BigInt,
        state -> Text,
        lot_id -> Text,
        digest -> Text,
        expires_at -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    ceremony_messages (owner_id, step, member) {
        owner_id -> Text,
        owner_version -> BigInt,
        step -> Text,
        member -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    share_backups (owner_id, member) {
        owner_id -> Text,
        owner_version -> BigInt,
        member -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    bidder_keys (owner_id, owner_version, round) {
        owner_id -> Text,
        owner_version -> BigInt,
        kid -> Text,
        body -> Text,
        round -> BigInt,
    }
}

diesel::table! {
    snapshots (id) {
        id -> Text,
        version -> BigInt,
        lot_id -> Text,
        kid -> Text,
        root -> Text,
        body -> Text,
    }
}

diesel::table! {
    partial_lists (id) {
        id -> Text,
        version -> BigInt,
        lot_id -> Text,
        kid -> Text,
        member -> BigInt,
        digest -> Text,
        body -> Text,
        escrow -> Nullable<Text>,
    }
}

diesel::table! {
    partials (envelope_id, slot, member) {
        owner_id -> Text,
        owner_version -> BigInt,
        envelope_id -> Text,
        slot -> BigInt,
        member -> BigInt,
        d -> Text,
        proof -> Text,
    }
}

// Only what is asked about together: for every pair of tables the compiler has work to do, and of all tables there are thousands.
diesel::allow_tables_to_appear_in_same_query!(
    audit_entry,
    audit_personal,
    audit_leaf,
    audit_name,
    audit_search,
    audit_unsearched,
    audit_pending,
    lots,
    bids,
    bid_envelopes,
    bidder_keys,
    unsealings,
    partial_lists,
    partials,
    damages,
    outbox,
    users,
    organisations,
    documents,
    followers,
    questions,
);

/// Tables of which every row has its entry: asked about together with the record, and not with each other.
macro_rules! with_the_record {
    ($($table:ident),* $(,)?) => {
        $(diesel::allow_tables_to_appear_in_same_query!(audit_entry, $table);)*
    };
}

with_the_record!(
    audit_head,
    audit_batch,
    audit_key,
    disclosures_due,
    idempotency,
    meta,
    leases,
    instances,
    outages,
    signing_keys,
    service_clients,
    used_assertions,
    user_secrets,
    sessions,
    refresh_tokens,
    reset_tokens,
    projects,
    notices,
    calendar_years,
    key_sets,
    key_secrets,
    uploads,
    refusals,
    openings,
    objections,
    evaluations,
    reports,
    mandates,
    break_glasses,
    erasures,
    custodians,
    ceremonies,
    ceremony_messages,
    share_backups,
    snapshots,
);
