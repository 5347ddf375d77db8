package import PostgreSQL

/// Migrates a database's schema to the version of this program, and says which version it has.
package struct Migrator: Sendable {
    private let migrations: [Migration]

    package init() {
        self.init(Migration.all)
    }

    /// - Parameter migrations: versions 1, 2, 3, … in order.
    init(_ migrations: [Migration]) {
        self.migrations = migrations
    }

    /// The version of the schema; 0 when there is none yet. It may be newer than this program, if the program can work
    /// with it.
    ///
    /// - Throws: `SchemaError.newer`, `.inconsistent` or `.database`.
    package func version(of connection: borrowing Connection) throws(SchemaError) -> Int {
        let step = "reading the schema's version"
        let table = try connection.query("SELECT to_regclass('public.schema_migrations') IS NOT NULL", during: step)
        guard table[row: 0, column: 0] == "t" else { return 0 }
        // Only a newer program adds the column that says which steps break.
        return try check(
            connection.query(
                """
                SELECT version, to_jsonb(m) ->> 'breaks' = 'true' FROM public.schema_migrations AS m ORDER BY version
                """, during: step))
    }

    /// Fails unless this program can work with the schema: its own version, or a newer one that only adds to it.
    ///
    /// - Throws: `SchemaError`.
    package func requireLatest(of connection: borrowing Connection) throws(SchemaError) {
        let found = try version(of: connection)
        if found < migrations.count { throw .outdated(found: found, known: migrations.count) }
    }

    /// Runs the missing steps, each in its own transaction, and returns them. Of two migrators at once the second
    /// waits, and then finds nothing to do.
    ///
    /// - Throws: `SchemaError`; the steps before the one that failed stay.
    package func migrate(_ connection: borrowing Connection) throws(SchemaError) -> [Migration] {
        var applied: [Migration] = []
        while let migration = try step(connection) { applied.append(migration) }
        let found = try version(of: connection)
        guard found == migrations.count else { throw .newer(found: found, known: migrations.count) }
        return applied
    }

    /// Runs the next missing step, nil when none is.
    private func step(_ connection: borrowing Connection) throws(SchemaError) -> Migration? {
        try connection.execute(
            """
            BEGIN;
            SELECT pg_advisory_xact_lock(\(AdvisoryLock.space), \(AdvisoryLock.migrations));
            """, during: "waiting for another migration")
        do throws(SchemaError) {
            let version = try version(of: connection)
            let next = version < migrations.count ? migrations[version] : nil
            if let next { try run(next, on: connection) }
            try connection.execute("COMMIT", during: next.map(Self.title) ?? "ending the migration")
            return next
        } catch {
            // If this fails too, the first error says more.
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    private func run(_ migration: Migration, on connection: borrowing Connection) throws(SchemaError) {
        // Everyone who needs the table queues behind a step that waits for it.
        try connection.execute(
            """
            SET LOCAL lock_timeout = '5s';
            CREATE TABLE IF NOT EXISTS public.schema_migrations (
                version integer PRIMARY KEY CHECK (version > 0),
                name text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            );
            ALTER TABLE public.schema_migrations ADD COLUMN IF NOT EXISTS breaks boolean NOT NULL DEFAULT false;
            """, during: Self.title(migration))
        try connection.execute(migration.sql, during: Self.title(migration))
        _ = try connection.query(
            "INSERT INTO public.schema_migrations (version, name, breaks) VALUES ($1, $2, $3)",
            [String(migration.version), migration.name, String(migration.breaks)], during: Self.title(migration))
    }

    private func check(_ rows: consuming Rows) throws(SchemaError) -> Int {
        let versions = (0..<rows.count).compactMap { row in rows[row: row, column: 0].flatMap { Int($0) } }
        guard versions.elementsEqual(1..<versions.count + 1) else { throw .inconsistent(found: versions) }
        let isBroken = (0..<rows.count).dropFirst(migrations.count).contains { rows[row: $0, column: 1] == "t" }
        if isBroken { throw .newer(found: versions.count, known: migrations.count) }
        return versions.count
    }

    private static func title(_ migration: Migration) -> String {
        "migration \(migration.version) (\(migration.name))"
    }
}
