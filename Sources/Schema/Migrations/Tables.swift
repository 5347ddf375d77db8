extension Migration {
    /// Who sends, with which keys, and what came: organizations, projects, api_keys, events.
    ///
    /// A slug is never a number, so that "slug or id" has one meaning. `events` has no foreign key: every insert would
    /// pay for it, and the edge has already resolved the project. There is no default partition, since attaching a
    /// partition beside one blocks all inserts.
    static let tables = Migration(
        version: 1, name: "tables",
        sql: """
            CREATE TABLE public.organizations (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id > 0),
                slug text NOT NULL UNIQUE
                    CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' AND slug !~ '^[0-9]+$'),
                created_at timestamptz NOT NULL DEFAULT now()
            );

            CREATE TABLE public.projects (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id > 0),
                organization_id bigint NOT NULL REFERENCES public.organizations,
                slug text NOT NULL UNIQUE
                    CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' AND slug !~ '^[0-9]+$'),
                rate_limit_events integer CHECK (rate_limit_events BETWEEN 1 AND 1000000000),
                rate_limit_seconds integer CHECK (rate_limit_seconds BETWEEN 1 AND 86400),
                retention_days integer CHECK (retention_days BETWEEN 1 AND 36500),
                created_at timestamptz NOT NULL DEFAULT now()
            );
            CREATE INDEX projects_organization ON public.projects (organization_id);

            CREATE TABLE public.api_keys (
                key text PRIMARY KEY CHECK (key ~ '^[0-9a-f]{32}$'),
                project_id bigint NOT NULL REFERENCES public.projects,
                label text NOT NULL DEFAULT '',
                created_at timestamptz NOT NULL DEFAULT now(),
                revoked_at timestamptz
            );
            CREATE INDEX api_keys_project ON public.api_keys (project_id);

            CREATE TABLE public.events (
                project_id bigint NOT NULL,
                event_id uuid NOT NULL,
                received_at timestamptz NOT NULL,
                "timestamp" timestamptz NOT NULL,
                received_on date NOT NULL,
                level text NOT NULL,
                message text NOT NULL,
                platform text,
                environment text,
                release text,
                server_name text,
                logger text,
                transaction text,
                sdk_name text,
                sdk_version text,
                tags jsonb,
                payload json COMPRESSION lz4 NOT NULL,
                PRIMARY KEY (project_id, event_id, received_on)
            ) PARTITION BY RANGE (received_on);
            CREATE INDEX events_latest ON public.events (project_id, received_at);
            """)
}
